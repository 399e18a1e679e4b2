// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// A history as a recorder wrote it (see ../README.md), lines and all, so that one that is wrong can be kept.
type history struct {
	title          string
	killed         int
	unacknowledged int
	operations     []porcupine.Operation
	lines          []string
}

type reader struct {
	scanner *bufio.Scanner
	number  int
}

func newReader(source io.Reader) *reader { return &reader{scanner: bufio.NewScanner(source)} }

func (r *reader) fault(format string, arguments ...interface{}) error {
	return fmt.Errorf("line %d: %s", r.number, fmt.Sprintf(format, arguments...))
}

// The next history; nil at the end. One that breaks off is an error: its recorder did not come to its end.
func (r *reader) next() (*history, error) {
	if !r.scan() {
		return nil, r.scanner.Err()
	}
	read := &history{}
	if err := read.begin(r.scanner.Text()); err != nil {
		return nil, r.fault("%v", err)
	}
	for r.scan() {
		line := r.scanner.Text()
		read.lines = append(read.lines, line)
		if line == "end" {
			return read, nil
		}
		operation, err := parse(line)
		if err != nil {
			return nil, r.fault("%v: %q", err, line)
		}
		if !operation.Output.(output).acknowledged {
			read.unacknowledged++
		}
		read.operations = append(read.operations, operation)
	}
	return nil, r.fault("the history %q has no end", read.title)
}

func (r *reader) scan() bool {
	r.number++
	return r.scanner.Scan()
}

// history <title> killed <count>
func (h *history) begin(line string) error {
	h.lines = []string{line}
	words := strings.Fields(line)
	if len(words) != 4 || words[0] != "history" || words[2] != "killed" {
		return fmt.Errorf("not the begin of a history: %q", line)
	}
	h.title = words[1]
	var err error
	h.killed, err = strconv.Atoi(words[3])
	return err
}

// <client> <key or *> <kind> <argument> <called> <returned or -> <result or ?>
func parse(line string) (porcupine.Operation, error) {
	words := strings.Fields(line)
	if len(words) != 7 {
		return porcupine.Operation{}, fmt.Errorf("%d words instead of 7", len(words))
	}
	numbers := numberParser{}
	done := porcupine.Operation{
		ClientId: int(numbers.parse(words[0])),
		Input:    input{kind: words[2], key: numbers.key(words[1]), argument: numbers.parse(words[3])},
		Call:     numbers.parse(words[4]),
		Return:   numbers.parseUnless(words[5], "-", math.MaxInt64),
		Output: output{
			result:       numbers.parseUnless(words[6], "?", 0),
			acknowledged: words[6] != "?",
		},
	}
	if numbers.err != nil {
		return done, numbers.err
	}
	return done, check(done)
}

func check(done porcupine.Operation) error {
	did := done.Input.(input)
	if !kinds[did.kind] {
		return fmt.Errorf("no such operation")
	}
	if (did.key == allKeys) != (did.kind == "clear") {
		return fmt.Errorf("clear is about all keys and nothing else is")
	}
	if done.Return < done.Call {
		return fmt.Errorf("it returned before it was called")
	}
	return nil
}

// Keeps the first error of several numbers.
type numberParser struct{ err error }

func (p *numberParser) parse(word string) int64 {
	number, err := strconv.ParseInt(word, 10, 64)
	if err != nil && p.err == nil {
		p.err = err
	}
	return number
}

func (p *numberParser) parseUnless(word string, special string, meaning int64) int64 {
	if word == special {
		return meaning
	}
	return p.parse(word)
}

func (p *numberParser) key(word string) int {
	key := int(p.parseUnless(word, "*", allKeys))
	if p.err == nil && (key < allKeys || key >= keysMax) {
		p.err = fmt.Errorf("key %d, at most %d", key, keysMax-1)
	}
	return key
}
