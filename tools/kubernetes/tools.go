//go:build tools

// Package tools pins the programs that this module builds; see src/xnovu_dev/programs.py.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
