// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// The dict as one thing that does one operation at a time. An operation without an acknowledgement (its process was
// killed) did happen or did not: both states are followed, which makes the model nondeterministic.

const (
	keysMax = 8
	absent  = int64(-1) // as a state: the key is not there; as a result: None
)

// The value of each key.
type state [keysMax]int64

// What one operation did and answered; the latter only counts if it was acknowledged.
type input struct {
	kind     string
	key      int // allKeys: the operation is about all of them
	argument int64
}

type output struct {
	result       int64
	acknowledged bool
}

const allKeys = -1

func emptyDict() state {
	var empty state
	for key := range empty {
		empty[key] = absent
	}
	return empty
}

func isThere(value int64) int64 {
	if value == absent {
		return 0
	}
	return 1
}

var kinds = map[string]bool{
	"get": true, "contains": true, "put": true, "erase": true,
	"pop": true, "setdefault": true, "increment": true, "clear": true,
}

// What the operation makes of one key's value, and its right answer.
func apply(kind string, value int64, argument int64) (after int64, result int64) {
	switch kind {
	case "get":
		return value, value
	case "contains":
		return value, isThere(value)
	case "put":
		return argument, 0
	case "erase":
		return absent, isThere(value)
	case "pop":
		return absent, value
	case "setdefault":
		if value != absent {
			return value, value
		}
		return argument, argument
	case "increment":
		if value == absent {
			return 1, 1
		}
		return value + 1, value + 1
	}
	panic("no such operation: " + kind)
}

func next(before state, in input) (after state, result int64) {
	if in.key == allKeys {
		return emptyDict(), 0
	}
	after = before
	after[in.key], result = apply(in.kind, before[in.key], in.argument)
	return after, result
}

func step(before interface{}, in interface{}, out interface{}) []interface{} {
	after, result := next(before.(state), in.(input))
	answered := out.(output)
	if !answered.acknowledged {
		return []interface{}{before, after}
	}
	if answered.result != result {
		return nil
	}
	return []interface{}{after}
}

// Keys have nothing to do with each other, unless an operation is about all of them.
func partition(history []porcupine.Operation) [][]porcupine.Operation {
	parts := make([][]porcupine.Operation, keysMax)
	for _, operation := range history {
		key := operation.Input.(input).key
		if key == allKeys {
			return [][]porcupine.Operation{history}
		}
		parts[key] = append(parts[key], operation)
	}
	return parts
}

func describe(in interface{}, out interface{}) string {
	did, answered := in.(input), out.(output)
	call := fmt.Sprintf("%s(k%d, %d)", did.kind, did.key, did.argument)
	if !answered.acknowledged {
		return call + " -> killed"
	}
	return fmt.Sprintf("%s -> %d", call, answered.result)
}

func dictModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition:         partition,
		Init:              func() []interface{} { return []interface{}{emptyDict()} },
		Step:              step,
		DescribeOperation: describe,
	}
	return model.ToModel()
}
