// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"
)

// Histories written by hand: the operations of each, and whether an order can be found.
var cases = []struct {
	name       string
	operations string
	right      porcupine.CheckResult
}{
	{"a read sees the put before it", "0 0 put 7 10 20 0\n1 0 get 0 30 40 7", porcupine.Ok},
	{"a read that is late sees an old value", "0 0 put 7 10 20 0\n1 0 get 0 30 40 -1", porcupine.Illegal},
	{"a read beside a put sees either", "0 0 put 7 10 40 0\n1 0 get 0 20 25 -1\n1 0 get 0 30 50 7", porcupine.Ok},
	{"and does not go back", "0 0 put 7 10 60 0\n1 0 get 0 20 25 7\n2 0 get 0 30 40 -1", porcupine.Illegal},
	{"values that nobody wrote", "0 0 put 7 10 20 0\n1 0 get 0 15 40 8", porcupine.Illegal},
	{"an error is no answer", "0 0 get 0 10 20 -2", porcupine.Illegal},

	{"contains follows erase", "0 0 put 7 10 20 0\n0 0 erase 0 30 40 1\n1 0 contains 0 50 60 0", porcupine.Ok},
	{"erase of a key that is there", "0 0 put 7 10 20 0\n0 0 erase 0 30 40 0", porcupine.Illegal},
	{"contains after erase", "0 0 put 7 1 2 0\n0 0 erase 0 3 4 1\n1 0 contains 0 5 6 1", porcupine.Illegal},
	{"one of two takes it", "0 0 put 7 1 2 0\n1 0 pop 0 3 9 7\n2 0 pop 0 4 8 -1", porcupine.Ok},
	{"two take one item", "0 0 put 7 1 2 0\n1 0 pop 0 3 9 7\n2 0 pop 0 4 8 7", porcupine.Illegal},
	{"one of two sets the default", "1 0 setdefault 3 1 9 4\n2 0 setdefault 4 2 8 4", porcupine.Ok},
	{"two defaults", "1 0 setdefault 3 1 9 3\n2 0 setdefault 4 2 8 4", porcupine.Illegal},
	{"increments follow each other", "1 0 increment 0 1 9 1\n2 0 increment 0 2 8 2", porcupine.Ok},
	{"a lost increment", "1 0 increment 0 1 9 1\n2 0 increment 0 2 8 1", porcupine.Illegal},

	{"a killed put is seen", "0 0 put 7 10 20 ?\n1 0 get 0 30 40 7", porcupine.Ok},
	{"a killed put is not seen", "0 0 put 7 10 20 ?\n1 0 get 0 30 40 -1", porcupine.Ok},
	{"a killed put is settled", "0 0 put 7 10 20 ?\n1 0 get 0 30 40 -1\n1 0 get 0 50 60 7", porcupine.Illegal},
	{"a killed put that nobody settled", "0 0 put 7 10 - ?\n1 0 get 0 30 40 -1\n1 0 get 0 50 60 7", porcupine.Ok},
	{"a killed pop happens once", "0 0 put 7 1 2 0\n0 0 pop 0 3 5 ?\n1 0 get 0 6 7 7\n1 0 get 0 8 9 -1", porcupine.Illegal},
	{"a killed increment", "0 0 increment 0 1 2 ?\n1 0 increment 0 3 4 2", porcupine.Ok},
	{"a killed increment that counts twice", "0 0 increment 0 1 2 ?\n1 0 increment 0 3 4 3", porcupine.Illegal},

	{"keys are apart", "0 0 put 7 10 20 0\n1 1 get 0 30 40 -1", porcupine.Ok},
	{"clear is of all keys", "0 0 put 7 1 2 0\n0 1 put 8 3 4 0\n0 * clear 0 5 6 0\n1 1 get 0 7 8 8", porcupine.Illegal},
	{"clear is at once", "0 0 put 7 1 2 0\n0 1 put 8 3 4 0\n0 * clear 0 5 20 0\n" +
		"1 0 get 0 6 7 -1\n1 1 get 0 8 9 8", porcupine.Illegal},
	{"clear was before or not yet", "0 0 put 7 1 2 0\n0 1 put 8 3 4 0\n0 * clear 0 5 20 0\n" +
		"1 0 get 0 6 7 7\n1 1 get 0 8 9 -1", porcupine.Ok},
}

func readAll(text string) (*history, error) {
	return newReader(strings.NewReader(text)).next()
}

func TestHistoriesWrittenByHand(t *testing.T) {
	for _, written := range cases {
		read, err := readAll("history by-hand killed 1\n" + written.operations + "\nend\n")
		if err != nil {
			t.Fatalf("%s: %v", written.name, err)
		}
		if found := judge(read).result; found != written.right {
			t.Errorf("%s: %s instead of %s", written.name, found, written.right)
		}
	}
}

func TestWhatIsNoHistoryIsRefused(t *testing.T) {
	for _, text := range []string{
		"no history\nend\n",
		"history by-hand killed 0\n0 0 get 0 1 2 -1\n",           // no end
		"history by-hand killed 0\n0 0 get 0 1 2\nend\n",         // no answer
		"history by-hand killed 0\n0 9 get 0 1 2 -1\nend\n",      // no such key
		"history by-hand killed 0\n0 0 get 0 3 2 -1\nend\n",      // returned before it was called
		"history by-hand killed 0\n0 0 get 0 1 2 nothing\nend\n", // no number
		"history by-hand killed 0\n0 0 fetch 0 1 2 -1\nend\n",    // no such operation
		"history by-hand killed 0\n0 * get 0 1 2 -1\nend\n",      // only clear is of all keys
	} {
		if read, err := readAll(text); err == nil {
			t.Errorf("taken for a history: %q, %d operations", text, len(read.operations))
		}
	}
}

func TestOnlyWhatOverlapsOnAKeyCountsAsConcurrent(t *testing.T) {
	read, err := readAll("history by-hand killed 0\n" +
		"0 0 get 0 1 9 -1\n1 0 get 0 2 3 -1\n1 0 get 0 20 21 -1\n1 1 get 0 4 5 -1\nend\n")
	if err != nil {
		t.Fatal(err)
	}
	if count := judge(read).concurrent; count != 2 {
		t.Errorf("%d concurrent operations instead of 2", count)
	}
}
