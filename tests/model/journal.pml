// SPDX-License-Identifier: Apache-2.0
// The journal: commit, apply, retire; and what the next owner applies again, however often he dies over it.
// Change::add, commit, redo in src/store/change.{h,cc}; recover in recovery.cc; Store::enter in store.cc.
//
// A change gives every word of `memory` its number. Who dies does so between two steps, so what he stored is there for
// the next owner, and the processor's orders play no part; the compiler's do: it may move relaxed stores forward across
// a release store that comes before them, unless a fence forbids it.
//
// Held: who enters finds memory whole, with exactly what was committed last: so no change that was acknowledged is
// lost, and one that was not is there whole or not at all; the journal is never found damaged.
// Broken on purpose: WITHOUT_FENCE, RETIRES_FIRST, APPLIES_FIRST, COMMITS_FIRST, NO_REDO, REDO_RETIRES_FIRST.

#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef CRASHES
#define CRASHES 3
#endif
#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef WORDS
#define WORDS 3
#endif

byte memory[WORDS];
byte journal[WORDS];  // Journal::stores: the value; the place is the index
byte word;            // Journal::word: 0, or what the checksum of stores that all say so would be
byte owner;           // process + 1; or he is dead
#define DEAD 255

byte changes, committed, acknowledged, deaths;  // what nobody in the program knows

#define MAY_DIE if :: deaths < CRASHES -> goto dies :: true fi

// store(journal.word, 0), which the compiler may put off until the next change must commit
inline retire() {
#ifdef WITHOUT_FENCE
  if :: word = 0 :: put_off = true fi
#else
  word = 0
#endif
}

inline settle() {
#ifdef WITHOUT_FENCE
  if :: put_off -> word = 0; put_off = false :: else fi
#else
  skip
#endif
}

// Change::commit, the loop over targets
inline apply(value) {
  i = 0;
  do
  :: i < WORDS -> memory[i] = value; i++; MAY_DIE
  :: else -> break
  od
}

inline commit_change(value) {
  atomic { word = value; committed = value }
}

proctype Process(byte id) {
  byte i, value, round;
  bool put_off;

begins:
  skip;
  do
  :: round == CHANGES -> break
  :: else ->
    // DictLock::acquire and take_from_the_dead: lock.pml shows that one holds it
    atomic { owner == 0 || owner == DEAD -> owner = id + 1 };
    MAY_DIE;

    // Change::redo
#ifndef NO_REDO
    value = word;
    if
    :: value != 0 ->
      i = 0;
      do
      :: i < WORDS -> assert(journal[i] == value); i++  // never found damaged
      :: else -> break
      od;
#ifdef REDO_RETIRES_FIRST
      word = 0;
      MAY_DIE;
#endif
      apply(value);
      word = 0;
      MAY_DIE
    :: else
    fi;
#endif
    atomic {
      i = 0;
      do
      :: i < WORDS -> assert(memory[i] == committed); i++
      :: else -> break
      od;
      assert(memory[0] >= acknowledged)
    }

    // Two changes of one owner: a write, and the cleaning that it pays.
    do
    :: round < CHANGES ->
      atomic { changes++; value = changes };
#ifdef APPLIES_FIRST
      apply(value);
#endif
#ifdef COMMITS_FIRST
      commit_change(value);
      MAY_DIE;
#endif
      // Change::add
      i = 0;
      do
      :: i < WORDS ->
        journal[i] = value; i++;
        MAY_DIE;
#ifdef WITHOUT_FENCE
        if :: true -> settle() :: true fi;
        MAY_DIE
#endif
      :: else -> break
      od;
      // A release store: nothing before it comes after it.
      settle();
#ifndef COMMITS_FIRST
      commit_change(value);
      MAY_DIE;
#endif
#ifdef RETIRES_FIRST
      word = 0;
      MAY_DIE;
#endif
#ifndef APPLIES_FIRST
      apply(value);
#endif
      retire();
      MAY_DIE;
      atomic { acknowledged = value; round++ };
      if :: true -> break :: true fi
    :: else -> break
    od;
    settle();
    // give_back
    atomic { owner = 0; i = 0; value = 0 };
    MAY_DIE
  od;
  goto ends;
dies:
  // Another takes his place.
  atomic { deaths++; if :: owner == id + 1 -> owner = DEAD :: else fi; i = 0; value = 0; put_off = false };
  goto begins;
ends:
  skip
}

init {
  atomic {
    run Process(0);
    run Process(1);
#if PROCESSES > 2
    run Process(2)
#endif
  }
}
