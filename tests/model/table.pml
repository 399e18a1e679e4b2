// SPDX-License-Identifier: Apache-2.0
// The table: look-ups without the lock while keys come and go, the slots grow, and clear() switches to an empty table;
// writers die at any step and the next one applies their journal. find_once in src/store/reader.cc, Sighting::current
// in include/ultradict/dict.h, add_key and remove_entry in writer.cc, clear.cc, growth_step in table.cc.
//
// Two slot arrays, of which one is current; keys 1 and 2, which probe the same way; entries 1 to 3.
//
// Held: each answer was true at a moment of the look-up, a value as well as an absence; a value seen before that is
// still current, by two loads, is still the value. Broken on purpose: NO_ODD_NUMBER, KEEPS_TABLE_NUMBER, KEEPS_OLD_REF,
// TOMBSTONE_FIRST, NO_REDO. Entries are not used again before a clear: there is no free list here.

#ifndef CHANGES
#define CHANGES 4
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef READS
#define READS 1
#endif

#define SLOTS 3
#define ENTRIES 3
#define TOMBSTONE 9
// Places in shared memory.
#define TABLE_NUMBER 0
#define CURRENT 1
#define SLOT(array, n) (2 + SLOTS * (array) + (n))
#define HASH(e) (7 + (e))
#define REF(e) (10 + (e))
#define USED 14
#define BUILDING 15
#define NEXT_ENTRY 16
#define PLACES 17

byte memory[PLACES];
byte place[8], value[8], count;  // the journal
bool committed;
byte owner, deaths, changes, values;

byte key_of[CHANGES + 2];  // in the record of that value
// What nobody in the program knows: what the key is now, and was since the look-up of it began (bits of values, 1 for
// absence).
byte truth[3];
byte since[3];
#define BIT(v) (1 << (v))
#define MAY_DIE if :: deaths < CRASHES -> goto dies :: true fi

inline add(where, what) {
  place[count] = where; value[count] = what; count++
}
inline becomes(k, v) {
  truth[k] = v; since[k] = since[k] | BIT(v)
}

// One store of a change, and what it means to readers.
inline apply(n) {
  atomic {
    memory[place[n]] = value[n];
    if
    :: place[n] > REF(0) && place[n] <= REF(ENTRIES) ->
      k = memory[HASH(place[n] - REF(0))];
      if :: k != 0 -> becomes(k, value[n]) :: else fi
    :: place[n] == TABLE_NUMBER && truth[1] + truth[2] > 0 && memory[USED] != 0 ->
      if :: clears -> becomes(1, 0); becomes(2, 0) :: else fi
    :: else
    fi
  }
}

// Where the slot of entry e, or a place for it, is in an array; SLOTS: nowhere.
inline find(array, what, found) {
  found = 0;
  do
  :: found == SLOTS || memory[SLOT(array, found)] == what || memory[SLOT(array, found)] == 0 -> break
  :: else -> found++
  od;
  if :: found < SLOTS && memory[SLOT(array, found)] != what -> found = SLOTS :: else fi
}
inline find_place(array, found) {
  found = 0;
  do
  :: memory[SLOT(array, found)] == 0 || memory[SLOT(array, found)] == TOMBSTONE -> break
  :: else -> found++
  od
}
#define OTHER (1 - memory[CURRENT])

bool clears;  // the change in the journal is clear's

proctype Writer(byte id) {
  byte k, e, at, i;
begins:
  do
  :: atomic { changes < CHANGES && owner == 0 -> owner = id; changes++ };
    MAY_DIE;
    // recover: redo, drop_next_slots
    if
    :: committed ->
#ifndef NO_REDO
      i = 0;
      do :: i < count -> apply(i); i++; MAY_DIE :: else -> break od;
#endif
      committed = false
    :: else
    fi;
    atomic {
      assert(memory[TABLE_NUMBER] % 2 == 0);
      count = 0; clears = false; i = 0; k = 0;
      if :: deaths > 0 -> memory[BUILDING] = 0 :: else fi
    }
    if
    :: // put
      atomic {
        if :: k = 1 :: k = 2 fi;
        // locate
        e = 1;
        do
        :: e == memory[USED] || memory[HASH(e)] == k && memory[REF(e)] != 0 -> break
        :: else -> e++
        od;
        if :: e > ENTRIES -> goto leaves :: else fi;
        values++; key_of[values] = k
      }
      if
      :: e < memory[USED] -> add(REF(e), values)  // overwrite
      :: else ->
        // FreeEntries::next, add_key: plain stores to what nobody looks at
#ifndef KEEPS_OLD_REF
        memory[REF(e)] = 0;
        MAY_DIE;
#endif
        memory[HASH(e)] = k;
        MAY_DIE;
        atomic {
          add(USED, e + 1);
          find_place(memory[CURRENT], at); add(SLOT(memory[CURRENT], at), e);
          if :: memory[BUILDING] -> find_place(OTHER, at); add(SLOT(OTHER, at), e) :: else fi;
          add(REF(e), values)
        }
      fi
    :: // remove_entry
      atomic {
        e = 1;
        do
        :: e == memory[USED] -> goto leaves
        :: e < memory[USED] && memory[REF(e)] != 0 -> break
        :: e < memory[USED] -> e++
        od;
#ifndef TOMBSTONE_FIRST
        add(REF(e), 0);
#endif
        find(memory[CURRENT], e, at); assert(at < SLOTS); add(SLOT(memory[CURRENT], at), TOMBSTONE);
        if
        :: memory[BUILDING] ->
          find(OTHER, e, at);
          if :: at < SLOTS -> add(SLOT(OTHER, at), TOMBSTONE) :: else fi
        :: else
        fi;
#ifdef TOMBSTONE_FIRST
        add(REF(e), 0)
#endif
      }
    :: // clear
      i = 0;
      do :: i < SLOTS -> memory[SLOT(OTHER, i)] = 0; i++; MAY_DIE :: else -> break od;
      atomic {
        clears = true;
#if !defined(NO_ODD_NUMBER) && !defined(KEEPS_TABLE_NUMBER)
        add(TABLE_NUMBER, memory[TABLE_NUMBER] + 1);
#endif
        add(CURRENT, OTHER); add(BUILDING, 0); add(USED, 1);
#ifdef KEEPS_TABLE_NUMBER
        add(TABLE_NUMBER, memory[TABLE_NUMBER])
#else
        add(TABLE_NUMBER, memory[TABLE_NUMBER] + 2)
#endif
      }
    :: memory[BUILDING] == 0 -> // begin_growth
      i = 0;
      do :: i < SLOTS -> memory[SLOT(OTHER, i)] = 0; i++; MAY_DIE :: else -> break od;
      memory[NEXT_ENTRY] = 1;
      MAY_DIE;
      memory[BUILDING] = 1;
      goto leaves
    :: memory[BUILDING] == 1 -> // growth_step, publish_next_slots
      atomic {
        e = memory[NEXT_ENTRY];
        find(OTHER, e, at);
        if
        :: e < memory[USED] && memory[REF(e)] != 0 && at == SLOTS -> find_place(OTHER, at); memory[SLOT(OTHER, at)] = e
        :: else
        fi
      }
      MAY_DIE;
      memory[NEXT_ENTRY] = e + 1;
      MAY_DIE;
      if
      :: memory[NEXT_ENTRY] < memory[USED] -> goto leaves
      :: else -> atomic { add(CURRENT, OTHER); add(BUILDING, 0) }
      fi
    fi;
    MAY_DIE;
    committed = true;
    MAY_DIE;
    i = 0;
    do :: i < count -> apply(i); i++; MAY_DIE :: else -> break od;
    committed = false;
    MAY_DIE;
leaves:
    atomic { owner = 0; i = 0; e = 0; k = 0; at = 0 }
  :: changes == CHANGES && owner == 0 && !committed -> goto ends
  od;
dies:
  // The next one repairs, and may then do nothing more.
  atomic { deaths++; owner = 0; changes = changes - (changes == CHANGES); i = 0; e = 0; k = 0; at = 0 };
  goto begins;
ends:
  skip
}

// Of key k; each looks for its own.
proctype Reader(byte k) {
  byte table, slots, at, e, ref, reads;
  do
  :: reads == READS -> break
  :: else ->
    atomic { since[k] = BIT(truth[k]); reads++ }
again:
    table = memory[TABLE_NUMBER];
    slots = memory[CURRENT];
    if :: table % 2 == 1 || memory[TABLE_NUMBER] != table || memory[CURRENT] != slots -> goto again :: else fi;
    at = 0;
    ref = 0;
    do
    :: at == SLOTS || ref != 0 -> break
    :: else ->
      e = memory[SLOT(slots, at)];
      if
      :: e == 0 -> break
      :: e == TOMBSTONE || memory[HASH(e % 4)] != k -> at++
      :: else ->
        ref = memory[REF(e)];
        if :: ref != 0 && key_of[ref] == k -> break :: else -> ref = 0; at++ fi
      fi
    od;
    // Epoch::holds
    if :: memory[TABLE_NUMBER] != table -> goto again :: else fi;
    if :: memory[CURRENT] != slots -> goto again :: else fi;
    assert(since[k] & BIT(ref));
    if
    :: ref != 0 ->
      // Sighting::current: the table number, then the ref
      since[k] = BIT(truth[k]);
      if
      :: memory[TABLE_NUMBER] == table ->
        if :: memory[REF(e)] == ref -> assert(since[k] & BIT(ref)) :: else fi
      :: else
      fi
    :: else
    fi;
    atomic { table = 0; slots = 0; at = 0; e = 0; ref = 0 }
  od
}

init {
  atomic {
    memory[USED] = 1;
    run Writer(1);
    run Writer(2);
    run Reader(1)
  }
}
