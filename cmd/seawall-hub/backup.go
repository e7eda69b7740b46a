package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func newBackup(t terminal) *cobra.Command  { return &cobra.Command{Use: "backup"} }
func newRestore(t terminal) *cobra.Command { return &cobra.Command{Use: "restore"} }
var _ = errors.New
var _ = fmt.Sprint
var _ io.Reader
var _ os.File
