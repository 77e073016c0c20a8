//go:build tools

// Package tools pins the program that this module builds; see src/xnovu_dev/programs.py.
package tools

import _ "github.com/temporalio/cli/cmd/temporal"
