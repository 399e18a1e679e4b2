// SPDX-License-Identifier: Apache-2.0
// The lock: taking, waiting, hand-over, the death of anyone at any step, take-over, and participant numbers that are
// used again. src/store/dict_lock.{h,cc}, LockWord in src/layout.h, src/os/liveness_token.cc.
//
// Held: one holds it; nobody who lives is robbed; a dead owner is found dead; nobody sleeps while the lock is free and
// all others sleep too, unless somebody died who was to wake him (then he wakes by himself, wait_ns_max).
// Broken on purpose: NO_GENERATION, NO_WAKE, FORGETS_WAITERS, SLEEPS_BLINDLY, STEALS_BLINDLY, GIVES_UP_SILENTLY.

#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef TURNS
#define TURNS 1
#endif

// LockWord
byte number, generation_of_owner;
bool waiters, starving;
// The token file: who holds byte n (the kernel lets go when he dies), TokenRecord::generation.
bool held[PROCESSES + 1];
byte generation[PROCESSES + 1];
// The futex's queue.
bool asleep[PROCESSES];

// What nobody in the program knows.
byte lives;                                // given out so far: each process has a new one after each death
bool alive[PROCESSES + CRASHES + 1];
byte owner;                                // life that the lock word means
byte inside;                               // life in the critical section
byte awake = PROCESSES;                    // neither asleep nor at their end
byte lives_as[PROCESSES], is_number[PROCESSES];
bool killed[PROCESSES];
byte deaths;

#define FREE (number == 0)
#ifdef NO_GENERATION
#define FOUND_DEAD (!held[number])
#else
#define FOUND_DEAD (!held[number] || generation[number] != generation_of_owner)
#endif

#define me is_number[id]
#define life lives_as[id]

inline set_word(to, its_generation, with_waiters, with_starving, its_life) {
  number = to; generation_of_owner = its_generation; waiters = with_waiters; starving = with_starving; owner = its_life
}

#if PROCESSES > 2
#define SOMEBODY_SLEEPS (asleep[0] || asleep[1] || asleep[2])
#else
#define SOMEBODY_SLEEPS (asleep[0] || asleep[1])
#endif

// os::futex_wake_one: any of the sleepers.
inline wake_one() {
  if
  :: asleep[0] -> asleep[0] = false; awake++
  :: asleep[1] -> asleep[1] = false; awake++
#if PROCESSES > 2
  :: asleep[2] -> asleep[2] = false; awake++
#endif
  :: else
  fi
}

proctype Process(byte id) {
  byte my_generation, turns, n, g;
  bool s, waited, dead;

born: {
  // LivenessToken::claim_number: try_lock_byte; then, what nobody else can do meanwhile, read_record and write_at.
  atomic {
    me = 1;
    do :: held[me] -> me++ :: else -> break od;
    held[me] = true; lives++; life = lives; alive[life] = true
  }
  atomic {
    generation[me] = generation[me] + 1;
#ifndef NO_GENERATION
    my_generation = generation[me]
#endif
  }

again:
  // DictLock::try_acquire, spin_for_it, wait_for_it. A look and the swap that it leads to are one step: if the word is
  // another by then, nothing happens.
  if
  :: atomic {
      turns < TURNS && FREE && (!starving || waited) ->
      assert(owner == 0);
#ifdef FORGETS_WAITERS
      set_word(me, my_generation, waiters, false, life);
#else
      set_word(me, my_generation, waiters || waited, false, life);
#endif
      waited = false;
      goto taken
    }
  :: atomic {
      // is_dead of what the look saw: is_locked ...
      turns < TURNS && !FREE ->
      n = number; g = generation_of_owner; dead = !held[n]
    }
    // ... then read_record ...
#ifndef NO_GENERATION
    if :: dead :: !dead -> dead = generation[n] != g fi;
#endif
    // ... then take_from_the_dead.
    atomic {
      if
#ifdef STEALS_BLINDLY
      :: dead ->
#else
      :: dead && number == n && generation_of_owner == g ->
#endif
        assert(!alive[owner]);  // nobody who lives is robbed
        set_word(me, my_generation, true, false, life);
        n = 0; g = 0; dead = false; waited = false;
        goto taken
      :: else -> n = 0; g = 0; dead = false; goto again
      fi
    }
  :: atomic {
      // is_over(): lock_timeout. If he was woken just now, others must be.
      turns < TURNS && !FREE && waited -> waited = false; turns++;
#ifndef GIVES_UP_SILENTLY
      wake_one();
#endif
      goto again
    }
  :: atomic {
      // Announced: somebody sleeps; somebody waited long. n = 0: stands back for a turn.
      turns < TURNS && (!FREE || starving && !waited) ->
      n = number; waiters = true;
      if :: starving = true :: true fi;
      s = starving
    }
    // os::futex_wait: sleeps if the low half of the word is as expected.
    atomic {
      if
#ifdef SLEEPS_BLINDLY
      :: true -> asleep[id] = true; awake--
#else
      :: number == n && waiters && starving == s -> asleep[id] = true; awake--
      :: else
#endif
      fi
    }
    if
    :: atomic { !asleep[id] -> waited = true; n = 0; s = false; goto again }
    :: atomic {
        // wait_ns_max, or turn_ns. No wake-up was lost; who stands back does so for a waiter who may have given up.
        asleep[id] ->
        assert(awake > 0 || !FREE || deaths > 0 || n == 0);
        assert(awake > 0 || FREE || alive[owner] || FOUND_DEAD);
        asleep[id] = false; awake++; waited = true; n = 0; s = false;
        goto again
      }
    fi
  :: atomic {
      // leaves: the kernel drops the byte with the mapping
      turns == TURNS -> alive[life] = false; held[me] = false; awake--; me = 0; life = 0;
      goto ends
    }
  fi;

taken:
  atomic { assert(inside == 0); inside = life };
  // give_back: the swap for 0; else give_to_waiters: exchange, then wake.
  atomic {
    assert(inside == life); inside = 0;
    assert(number == me && owner == life);
    turns++;
    if
    :: !waiters && !starving -> set_word(0, 0, false, false, 0); goto again
    :: else
    fi
  }
  atomic {
    if :: starving -> set_word(0, 0, true, true, 0) :: else -> set_word(0, 0, false, false, 0) fi
  }
#ifndef NO_WAKE
  atomic { s = SOMEBODY_SLEEPS; wake_one() };
  // What was left to nobody is given up by a swap.
  atomic {
    if :: !s && FREE && waiters && starving -> set_word(0, 0, false, false, 0) :: else fi;
    s = false
  };
#endif
  goto again
} unless {
  atomic {
    killed[id];
    killed[id] = false; my_generation = 0; n = 0; g = 0; s = false; dead = false; waited = false;
    goto born
  }
};
ends:
  skip
}

// Anyone who lives, before any step: the kernel drops his byte.
inline kill(id) {
  d_step {
    kills < CRASHES && lives_as[id] != 0 ->
    kills++; deaths++; killed[id] = true;
    alive[lives_as[id]] = false;
    held[is_number[id]] = false;
    if :: inside == lives_as[id] -> inside = 0 :: else fi;
    if :: asleep[id] -> asleep[id] = false; awake++ :: else fi;
    lives_as[id] = 0; is_number[id] = 0
  }
}

proctype Killer() {
  byte kills;
  do
  :: kill(0)
  :: kill(1)
#if PROCESSES > 2
  :: kill(2)
#endif
  :: true -> break
  od
}

init {
  atomic {
    run Process(0);
    run Process(1);
#if PROCESSES > 2
    run Process(2);
#endif
    run Killer()
  }
}
