// Sumdb holds a log against the packages of Go's checksum database, which know nothing of the program that wrote it.
//
// Usage: sumdb FOLDER VKEY[,VKEY...] SIZE...
//
// The checkpoints of these sizes below FOLDER/log have to be signed by one of the keys. Every entry before each has to be in its tree,
// and each tree has to be the beginning of every later one, by proofs made from FOLDER/log/tile alone.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// tiles reads tiles as C2SP tlog-tiles names them: without the height.
type tiles string

func (folder tiles) Height() int { return height }

func (folder tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(folder), path))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path, len(data))
		}
		read = append(read, data)
	}
	return read, nil
}

func (folder tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func check(err error, what ...interface{}) {
	if err != nil {
		fmt.Fprintln(os.Stderr, append(what, err)...)
		os.Exit(1)
	}
}

func checkpoint(folder, size string, keys note.Verifiers) tlog.Tree {
	number, err := strconv.ParseInt(size, 10, 64)
	check(err, "size")
	bytes, err := os.ReadFile(filepath.Join(folder, "checkpoint", fmt.Sprintf("%012d", number)))
	check(err, "checkpoint", size)
	signed, err := note.Open(bytes, keys)
	check(err, "checkpoint", size)
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != signed.Sigs[0].Name || lines[1] != size || lines[3] != "" {
		check(errors.New("another text than expected"), "checkpoint", size)
	}
	root, err := tlog.ParseHash(lines[2])
	check(err, "checkpoint", size)
	return tlog.Tree{N: number, Hash: root}
}

func main() {
	if len(os.Args) < 4 {
		check(errors.New("FOLDER VKEY[,VKEY...] SIZE..."), "usage:")
	}
	folder := filepath.Join(os.Args[1], "log")
	var keys []note.Verifier
	for _, vkey := range strings.Split(os.Args[2], ",") {
		key, err := note.NewVerifier(vkey)
		check(err, "key", vkey)
		keys = append(keys, key)
	}
	var trees []tlog.Tree
	inclusions, consistencies := 0, 0
	for _, size := range os.Args[3:] {
		tree := checkpoint(folder, size, note.VerifierList(keys...))
		hashes := tlog.TileHashReader(tree, tiles(folder))
		for index := int64(0); index < tree.N; index++ {
			entry, err := os.ReadFile(filepath.Join(folder, "entry", fmt.Sprintf("%012d", index)))
			check(err, "entry", index)
			proof, err := tlog.ProveRecord(tree.N, index, hashes)
			check(err, "inclusion of", index, "in", size)
			check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)), "inclusion of", index, "in", size)
			inclusions++
		}
		for _, older := range trees {
			proof, err := tlog.ProveTree(tree.N, older.N, hashes)
			check(err, "consistency of", older.N, "with", size)
			check(tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash), "consistency of", older.N, "with", size)
			consistencies++
		}
		trees = append(trees, tree)
	}
	fmt.Printf("%d checkpoints, %d inclusions, %d consistencies\n", len(trees), inclusions, consistencies)
}
