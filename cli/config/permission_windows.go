package config

import "io/fs"

// permitted accepts every file: Windows has no mode bits, and profile folders are private.
func permitted(string, fs.FileInfo) error { return nil }

// inode is not known from a FileInfo on Windows; size and time tell files apart.
func inode(fs.FileInfo) uint64 { return 0 }

func groupWritable(fs.FileInfo) bool { return false }
