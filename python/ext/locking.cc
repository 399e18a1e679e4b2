// SPDX-License-Identifier: Apache-2.0
// Waiting in slices: the engine asks every 20 ms whether the owner lives, this asks after each slice whether the
// program wants to stop.
#include "locking.h"

#include <algorithm>
#include <chrono>

namespace ultradict::python {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t slice_ns = 50'000'000;
// Between two looks while somebody keeps the lock: who writes under it leaves a moment in which a look succeeds.
constexpr double wait_max_s = 0.02;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// What is left of the timeout, at most one slice.
std::int64_t next_slice(const LockTerms& terms, double seconds_passed) {
  if (terms.timeout < 0) return slice_ns;
  const double left_ns = (terms.timeout - seconds_passed) * 1e9;
  return std::clamp<std::int64_t>(left_ns > slice_ns ? slice_ns : static_cast<std::int64_t>(left_ns), 0, slice_ns);
}

Status wait_slice(Session* session, const Wait& wait) {
  const GilReleased released;
  return session->engine.lock(wait);
}

bool still_busy(const Status& status) {
  return status.code() == Code::lock_busy || status.code() == Code::lock_timeout;
}

Taken taken_if_open(Session* session) {
  if (!session->closed) return Taken::yes;
  (void)session->engine.unlock();
  raise_closed(session->module, session->name);
  return Taken::error;
}

}  // namespace

Taken take_lock(Session* session, const LockTerms& terms, double* seconds_passed) {
  Status status = session->engine.lock(Wait{0, terms.spin});
  if (!status && still_busy(status) && !terms.block) return Taken::busy;
  const Clock::time_point begin = Clock::now();
  if (!status && still_busy(status)) ++session->lock_waits;
  while (!status) {
    if (!still_busy(status)) return raise_status(session, status), Taken::error;
    *seconds_passed = seconds_since(begin);
    if (terms.timeout >= 0 && *seconds_passed >= terms.timeout) return Taken::timed_out;
    if (PyErr_CheckSignals() < 0) return Taken::error;
    if (session->closed) return raise_closed(session->module, session->name), Taken::error;
    status = wait_slice(session, Wait{next_slice(terms, *seconds_passed), terms.spin});
  }
  return taken_if_open(session);
}

bool wait_for_lock(Session* session) {
  double seconds_passed = 0;
  return take_lock(session, LockTerms{}, &seconds_passed) == Taken::yes;
}

bool LockForWrite::try_acquire(double* seconds) {
  double seconds_passed = 0;
  const Taken taken = take_lock(session_, LockTerms{true, *seconds}, &seconds_passed);
  *seconds = std::min(2 * *seconds, wait_max_s);
  if (taken == Taken::yes) note_held();
  return taken != Taken::error;
}

}  // namespace ultradict::python
