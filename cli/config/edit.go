package config

import (
	"fmt"
	"slices"
)

// EditSources changes sources.yml (C7): edit gets its entries and gives back what they should
// be. Entries are told apart by name; new ones go to the end. Whatever the user wrote besides
// the fields that change - comments, blank lines, order, quotes - stays byte for byte.
func EditSources(d Dirs, edit func([]Source) ([]Source, error)) error {
	path := d.SourcesFile()
	if err := CheckPermissions(d.Config); err != nil {
		return err
	}
	before, err := read(path)
	if err != nil {
		return err
	}
	old, err := ParseSources(path, before)
	if err != nil {
		return err
	}
	want, err := edit(slices.Clone(old))
	if err != nil {
		return err
	}
	after, err := rewriteSources(path, before, old, want)
	if err != nil || string(after) == string(before) {
		return err
	}
	return write(path, after)
}

// EditConfig changes config.yml in the same way (C7).
func EditConfig(d Dirs, edit func(*Config)) error {
	path := d.ConfigFile()
	if err := CheckPermissions(d.Config); err != nil {
		return err
	}
	before, err := read(path)
	if err != nil {
		return err
	}
	old, err := ParseConfig(path, before)
	if err != nil {
		return err
	}
	want := old
	edit(&want)
	after, err := rewriteConfig(path, before, old, want)
	if err != nil || string(after) == string(before) {
		return err
	}
	return write(path, after)
}

// rewriteSources writes want into the text of a file that holds old: as an edit of the lines
// concerned or, in a layout where that cannot be done, of the YAML nodes, which keeps comments
// but not blank lines. What comes out is read again; a text that does not say exactly want is
// never returned.
func rewriteSources(path string, before []byte, old, want []Source) ([]byte, error) {
	root, err := reader{path}.document(before)
	if err != nil {
		return nil, err
	}
	for _, rewrite := range []func() (string, error){
		func() (string, error) { return spliceSources(string(before), root, old, want) },
		func() (string, error) { return nodeSources(before, old, want) },
	} {
		text, failure := rewrite()
		if failure != nil {
			err = failure
			continue
		}
		got, failure := ParseSources(path, []byte(text))
		if failure == nil && slices.EqualFunc(got, want, sameSource) {
			return []byte(text), nil
		}
		err = failure
	}
	return nil, notEditable(path, err)
}

// rewriteConfig does the same for config.yml.
func rewriteConfig(path string, before []byte, old, want Config) ([]byte, error) {
	root, err := reader{path}.document(before)
	if err != nil {
		return nil, err
	}
	text, err := spliceConfig(string(before), root, old, want)
	if err == nil {
		var got Config
		if got, err = ParseConfig(path, []byte(text)); err == nil && got == want {
			return []byte(text), nil
		}
	}
	return nil, notEditable(path, err)
}

// notEditable says that a file has a layout that we cannot change without harm, or that what
// was asked for cannot be written.
func notEditable(path string, cause error) error {
	reason := "its layout is too unusual for an edit by the program: change it by hand"
	if cause != nil {
		reason = fmt.Sprintf("an edit by the program would break it (%v): change it by hand", cause)
	}
	return &FileError{File: path, Reason: reason}
}

// sameSource says whether two entries are written alike.
func sameSource(a, b Source) bool { return slices.Equal(a.pairs(), b.pairs()) }

// byName finds an entry; nil when there is none.
func byName(sources []Source, name string) *Source {
	for i := range sources {
		if sources[i].Name == name {
			return &sources[i]
		}
	}
	return nil
}
