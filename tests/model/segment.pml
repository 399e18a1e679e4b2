// SPDX-License-Identifier: Apache-2.0
// Segments that are used again under a slow reader, in the memory of C++: a store is seen by others when it likes, but
// for what release stores and fences forbid. switch_tail in src/store/log.cc, write_record in src/structures/record.h,
// SegmentWitness and copy_record in src/store/witness.h, overwrite_small in writer.cc.
//
// One key; each overwrite goes to the other of two segments, each of which holds one record: header.ref, and two words
// of value that the checksum proves to belong together. Position p is in segment p % 2; its value is p.
//
// Held: what a reader trusts is the record that the ref named, whole; no old value after a newer one; nothing is called
// damaged that is not. Broken on purpose: WITHOUT_FENCE (of switch_tail), WITHOUT_READER_FENCE, RELAXED_REF,
// FIRST_LATE (stored after the bytes), NO_WITNESS.

#ifndef WRITES
#define WRITES 4
#endif
#ifndef READS
#define READS 2
#endif
#ifndef READERS
#define READERS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

// Places in memory.
#define FIRST(s) (s)
#define OWN(s) (2 + (s))
#define ONE(s) (4 + (s))
#define TWO(s) (6 + (s))
#define REF 8
#define PLACES 9

byte memory[PLACES];
// Stores of the writer that others do not see yet: value, and the places whose older stores must be seen before.
short pending;
byte buffer[PLACES];
short behind[PLACES];
short fenced;  // what was pending at the last release fence

// Under the lock: what the journal makes one step (journal.pml).
byte owner, tail = 2;
bool tail_is_new;  // its segment was switched to
byte deaths;

#define BIT(place) (1 << (place))

inline store(place, value, order) {
  // Stores of one place are seen in their order.
  atomic {
    !(pending & BIT(place)) ->
    buffer[place] = value;
    behind[place] = (order -> pending : fenced);
    pending = pending | BIT(place)
  }
}
#define relaxed 0
#define release 1

inline release_fence() {
  fenced = pending
}

inline see(place) {
  d_step {
    (pending & BIT(place)) && !(behind[place] & pending) ->
    memory[place] = buffer[place]; buffer[place] = 0; behind[place] = 0;
    pending = pending & ~BIT(place);
    fenced = fenced & ~BIT(place)
    // A bit of `behind` that is not pending any more says nothing; it must not come to mean a later store.
    ; i = 0;
    do
    :: i < PLACES -> behind[i] = behind[i] & ~BIT(place); i++
    :: else -> break
    od;
    i = 0
  }
}

// The caches of the machine.
active proctype Memory() {
  byte i;
end:
  do
  :: see(0) :: see(1) :: see(2) :: see(3) :: see(4) :: see(5) :: see(6) :: see(7) :: see(8)
  od
}

#define MAY_DIE if :: deaths < CRASHES -> goto dies :: true fi

proctype Writer(byte id) {
begins:
  do
  :: tail == WRITES + 2 -> break
  :: else ->
    // Taking the lock acquires, and the death of a process is known only after what it stored.
    atomic { owner == 0 && pending == 0 -> owner = id };
    if
    :: tail == WRITES + 2 -> owner = 0; break
    :: else
    fi;
    MAY_DIE;
    // switch_tail; the segment is free, for the ref names the other one.
    if
    :: !tail_is_new ->
#ifndef FIRST_LATE
      store(FIRST(tail % 2), tail, release);
#endif
      tail_is_new = true;
#ifndef WITHOUT_FENCE
      release_fence();
#endif
      MAY_DIE
    :: else
    fi;
    // write_successor
    store(OWN(tail % 2), tail, relaxed);
    MAY_DIE;
    store(ONE(tail % 2), tail, relaxed);
    store(TWO(tail % 2), tail, relaxed);
    MAY_DIE;
#ifdef FIRST_LATE
    store(FIRST(tail % 2), tail, release);
#endif
    // Change::commit, its last store
#ifdef RELAXED_REF
    store(REF, tail, relaxed);
#else
    store(REF, tail, release);
#endif
    atomic { tail++; tail_is_new = false };
    MAY_DIE;
    owner = 0
  od;
  goto ends;
dies:
  atomic { deaths++; owner = 0 };
  goto begins;
ends:
  skip
}

proctype Reader() {
  byte ref, first, own, one, two, seen, reads;
  bool again;
  do
  :: reads == READS -> break
  :: else ->
    // look_at, then copy_record
    ref = memory[REF];
    first = memory[FIRST(ref % 2)];
    if
    :: ref < first -> goto changed
    :: else
    fi;
#ifdef WITHOUT_READER_FENCE
    again = memory[FIRST(ref % 2)] == first;  // may be loaded before what comes before it
#endif
    // Relaxed loads, in whatever order.
    if
    :: own = memory[OWN(ref % 2)]; one = memory[ONE(ref % 2)]; two = memory[TWO(ref % 2)]
    :: two = memory[TWO(ref % 2)]; own = memory[OWN(ref % 2)]; one = memory[ONE(ref % 2)]
    :: one = memory[ONE(ref % 2)]; two = memory[TWO(ref % 2)]; own = memory[OWN(ref % 2)]
    fi;
    // SegmentWitness::holds
#ifndef WITHOUT_READER_FENCE
    again = memory[FIRST(ref % 2)] == first;
#endif
#ifdef NO_WITNESS
    again = true;
#endif
    if
    :: again ->
      atomic {
        assert(own == ref);                // check_header
        assert(one == two && one == ref);  // check_copy: whole, and of this ref
        assert(one >= seen);               // never back
        seen = one; reads++
      }
    :: else -> skip
    fi;
changed:
    atomic { ref = 0; first = 0; own = 0; one = 0; two = 0; again = false }
  od
}

init {
  atomic {
    // Position 1 in segment 1; segment 0 was never used.
    memory[FIRST(1)] = 1; memory[OWN(1)] = 1; memory[ONE(1)] = 1; memory[TWO(1)] = 1; memory[REF] = 1;
    run Writer(1);
#if CRASHES > 0 || READERS == 1
    run Writer(2);
#endif
    run Reader();
#if READERS > 1
    run Reader()
#endif
  }
}
