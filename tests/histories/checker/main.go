// SPDX-License-Identifier: Apache-2.0

// check_histories [-kept <folder>] [-expected <count>] < histories
//
// Says of each recorded history whether it is linearizable: whether all operations can be put into one order that
// contradicts neither their answers nor the times at which they were called and returned. Ends with 1 if one is not, or
// if that could not be found out in time, or if there are fewer histories than expected. The search is Porcupine's.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

const patience = 60 * time.Second // for one history

type verdict struct {
	*history
	result     porcupine.CheckResult
	concurrent int
}

// What was found in all.
type report struct {
	histories, operations, concurrent, killed, unacknowledged, violations, unknown int
}

func (r *report) add(found verdict) {
	r.histories++
	r.operations += len(found.operations)
	r.concurrent += found.concurrent
	r.killed += found.killed
	r.unacknowledged += found.unacknowledged
	switch found.result {
	case porcupine.Illegal:
		r.violations++
	case porcupine.Unknown:
		r.unknown++
	}
}

func (r *report) String() string {
	return fmt.Sprintf("%d histories, %d operations (%d concurrent with another on their key), "+
		"%d processes killed (%d operations without acknowledgement), %d violations, %d unknown",
		r.histories, r.operations, r.concurrent, r.killed, r.unacknowledged, r.violations, r.unknown)
}

// How many operations overlap in time with another one on the same key: a history without such proves little.
func concurrentCount(operations []porcupine.Operation) int {
	count := 0
	for _, part := range partition(operations) {
		count += overlapping(part)
	}
	return count
}

func judge(read *history) verdict {
	result := porcupine.CheckOperationsTimeout(dictModel(), read.operations, patience)
	return verdict{read, result, concurrentCount(read.operations)}
}

// Keeps a history that is wrong, and a picture of it, for whoever looks for the cause.
func keep(wrong verdict, folder string) {
	place := filepath.Join(folder, strings.ReplaceAll(wrong.title, "/", "-"))
	fmt.Printf("%s: %s, see %s.txt and .html\n", wrong.title, wrong.result, place)
	model := dictModel()
	_, picture := porcupine.CheckOperationsVerbose(model, wrong.operations, patience)
	err := os.MkdirAll(folder, 0o777)
	if err == nil {
		err = os.WriteFile(place+".txt", []byte(strings.Join(wrong.lines, "\n")+"\n"), 0o666)
	}
	if err == nil {
		err = porcupine.VisualizePath(model, picture, place+".html")
	}
	if err != nil {
		fmt.Println("cannot keep it:", err)
	}
}

// Reads one history after the other while others are judged.
func judgeAll(source *reader, verdicts chan<- verdict) error {
	defer close(verdicts)
	free := make(chan struct{}, runtime.NumCPU())
	var judging sync.WaitGroup
	defer judging.Wait()
	for {
		read, err := source.next()
		if read == nil || err != nil {
			return err
		}
		free <- struct{}{}
		judging.Add(1)
		go func() {
			verdicts <- judge(read)
			<-free
			judging.Done()
		}()
	}
}

func main() {
	kept := flag.String("kept", ".", "folder for histories that are wrong")
	expected := flag.Int("expected", 1, "how many histories there must be at least")
	flag.Parse()

	verdicts := make(chan verdict)
	broken := make(chan error, 1)
	go func() { broken <- judgeAll(newReader(os.Stdin), verdicts) }()
	found := report{}
	for one := range verdicts {
		found.add(one)
		if one.result != porcupine.Ok {
			keep(one, *kept)
		}
	}
	fmt.Println(&found)
	if err := <-broken; err != nil {
		fmt.Println("not a history:", err)
		os.Exit(1)
	}
	if found.histories < *expected || found.violations+found.unknown > 0 {
		os.Exit(1)
	}
}
