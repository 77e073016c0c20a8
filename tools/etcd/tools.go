//go:build tools

// Package tools pins the program that this module builds; see src/xnovu_dev/programs.py.
package tools

import _ "go.etcd.io/etcd/server/v3"
