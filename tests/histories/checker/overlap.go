// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sort"

	"github.com/anishathalye/porcupine"
)

// How many of the operations overlap in time with another of them.
func overlapping(operations []porcupine.Operation) int {
	byCall := append([]porcupine.Operation(nil), operations...)
	sort.Slice(byCall, func(i, j int) bool { return byCall[i].Call < byCall[j].Call })
	overlaps := make([]bool, len(byCall))
	for i := range byCall {
		for j := i + 1; j < len(byCall) && byCall[j].Call <= byCall[i].Return; j++ {
			overlaps[i], overlaps[j] = true, true
		}
	}
	count := 0
	for _, one := range overlaps {
		if one {
			count++
		}
	}
	return count
}
