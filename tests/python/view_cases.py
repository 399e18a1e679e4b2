# SPDX-License-Identifier: Apache-2.0
"""What can be done with the views and iterators of a dict, and with keys and values that use it: see dict_cases.py."""

from __future__ import annotations

views = r"""
answer = list(d), list(d.keys()), list(d.values()), list(d.items())
answer = list(reversed(d)), list(reversed(d.keys())), list(reversed(d.values())), list(reversed(d.items()))
answer = repr(d.keys()), repr(d.values()), repr(d.items()), str(d.keys())
d.clear(); answer = repr(d.keys()), repr(d.values()), repr(d.items()), list(d.keys()), len(d.values()), bool(d.items())
d.keys(1)
d.values(1)
d.items(1)
answer = d.keys() & {'a', 'z'}, d.keys() | ['q'], d.keys() - {'a'}, d.keys() ^ {'a', 'q'}, {'a'} & d.keys()
answer = {'a', 'q'} | d.keys(), {'a', 'q'} - d.keys(), {'a', 'q'} ^ d.keys()
answer = frozenset('a') & d.keys(), ['a', 'q'] - d.keys(), 'aq' | d.keys(), iter('aq') & d.keys()
answer = d.keys() & d.keys(), d.keys() | d.keys(), d.keys() - d.keys(), d.keys() ^ d.keys()
answer = d.keys() & {'a': 1}.keys(), {'a': 1}.keys() & d.keys(), d.keys() - {'a': 1}.keys(), {'a': 1}.keys() | d.keys()
d.clear(); d[3] = 0; answer = d.keys() & {3.0: 0, 5: 0}.keys(), d.items() & {3.0: 0, 5: 0}.items()
answer = d.keys() & iter('ab'), d.keys() | 'ab', d.keys() - (k for k in 'ab'), d.keys() ^ ['a', 'a', 'q']
answer = d.keys() & ('a',), d.keys() | ('q', 5), d.keys() - ('a',), d.keys() ^ ('a', 'q'), d.keys() | (), d.keys() ^ ()
answer = d.keys() | ('bc',), d.keys() - ('bc',), d.keys() | (5,), d.keys() ^ ((1, 'x'),), ('a', 'q') - d.keys()
del d['b'], d[1, 'x']; answer = d.items() - (('a', 1),), d.items() | (('q', 1),), d.items() ^ (('a', 1), ('a', 2))
answer = [type(x) for x in (d.keys() & [], d.keys() | [], frozenset() & d.keys(), d.keys() - [], {1} & d.keys())]
del d['b'], d[1, 'x']; answer = d.items() & {('a', 1)}, d.items() | [('q', 1)], d.items() - {('a', 1)}
del d['b'], d[1, 'x']; answer = d.items() ^ {('a', 1), ('a', 2)}, d.items() ^ d.items()
del d['b'], d[1, 'x']; answer = d.items() & [('a', 1), ('a', 2), 5], {('a', 1)} & d.items(), {('a', 1), 2} - d.items()
del d['b'], d[1, 'x']; answer = d.items() | d.keys(), d.keys() & d.items()
del d['b'], d[1, 'x']; answer = d.items() >= {('a', 1)}, set(d.items()) == d.items(), d.items() < {('a', 1)}
answer = d.keys() == set(d), d.keys() < {*d, 'q'}, d.keys() >= {'a'}, d.keys() != {1}
answer = d.keys() == 5, d.keys() <= d.keys(), d.keys() < d.keys()
answer = {'a'} <= d.keys(), set(d) == d.keys(), d.items() <= set(), d.values() == d.values(), d.keys() == frozenset(d)
answer = d.keys() > {'a'}, d.keys() > set(d), d.keys() == d.keys()
answer = d.keys() == dict(d).keys(), dict(d).keys() == d.keys()
answer = d.keys() == list(d), d.keys() != list(d)
answer = d.items() == dict(d).items(), dict(d).items() == d.items(), d.items() == []
answer = d.keys() < dict(d).keys(), d.keys() <= dict(d).keys(), dict(d).keys() >= d.keys(), {'a': 1}.keys() < d.keys()
d.keys() < ['a']
d.keys() <= 5
d.values() < d.values()
v = d.values(); answer = v == v, d.values() == v, v != d.values(), d.values() == list(d.values())
answer = ('a', 1) in d.items(), ('a', 2) in d.items(), 5 in d.items(), ('z', 1) in d.items()
answer = ('a',) in d.items(), ('a', 1, 2) in d.items(), 'a1' in d.items()
answer = ['a', 1] in d.items(), ('a', True) in d.items(), (3.0, 'three') in d.items()
([], 1) in d.items()
answer = 1 in d.values(), 7 in d.values(), [2, 3] in d.values(), {'y': 2.5} in d.values()
answer = [k for k in (1, 'a') if k in d.keys()]
[] in d.keys()
answer = d.keys().isdisjoint(['q']), d.keys().isdisjoint(['a']), d.keys().isdisjoint(d)
answer = d.keys().isdisjoint(d.keys()), d.keys().isdisjoint(iter('a')), d.keys().isdisjoint(())
answer = d.items().isdisjoint([('a', 1)]), d.items().isdisjoint([('a', 2)]), d.items().isdisjoint(())
d.keys().isdisjoint(5)
d.keys().isdisjoint([[]])
d.values().isdisjoint([])
d.keys() & 5
d.keys() | None
d.keys() - 5
d.keys() ^ 5
5 & d.keys()
d.keys() & [[]]
d.items() | {1}
d.items() & {('b', 1)}
d.items() - [('b', 1)]
d.values() & {1}
d.keys() + {1}
hash(d.keys())
hash(d.items())
answer = isinstance(hash(d.values()), int)
answer = len(d.keys()), len(d.items()), len(d.values()), bool(d.keys()), operator.length_hint(d.items())
d.keys()[0]
d.keys().add('x')
d.keys().x = 1
v = d.keys(); d['later'] = 1; del d['a']; answer = list(v), len(v), 'later' in v, 'a' in v
v = d.values(); w = d.items(); d['a'] = 'changed'; answer = list(v), list(w), ('a', 'changed') in w
v = d.items(); d.clear(); answer = list(v), len(v), v == set()
abc = collections.abc; answer = [isinstance(d.keys(), kind) for kind in (abc.KeysView, abc.Set, abc.Reversible)]
abc = collections.abc; answer = [isinstance(d.values(), kind) for kind in (abc.ValuesView, abc.Set, abc.Collection)]
abc = collections.abc; answer = [isinstance(d.items(), kind) for kind in (abc.ItemsView, abc.Set, abc.KeysView)]
copy.copy(d.keys())
copy.copy(d.values())
copy.copy(d.items())
copy.deepcopy(d.keys())
pickle.dumps(d.keys())
pickle.dumps(d.values(), 5)
pickle.dumps(d.items())
answer = d.keys() is d.keys(), max(d.keys(), key=str), dict(d.items()), sorted(map(str, d.values()))
answer = dict(zip(d.keys(), d.values())) == d, dict(d.items()) == d, list(zip(d.keys(), d.values())) == list(d.items())
d[float('nan')] = 1; answer = len(d.keys() & d.keys()), d.keys() == d.keys(); d.popitem()
"""

views_of_later_pythons = r"""
answer = d.items() ^ d.items(), d.items() ^ dict(d).items(), d.items() ^ {**d, 'a': 2, 'q': 3}.items()
d.items() ^ {**d, 'b': [4]}.items()
answer = d == collections.Counter(a=1), collections.Counter(a=1) == d
answer = dict(d.keys().mapping), dict(d.values().mapping), dict(d.items().mapping)
answer = type(d.keys().mapping), d.keys().mapping == d, d.keys().mapping['a']
d.keys().mapping['a'] = 1
d.keys().mapping = {}
"""

iterating = r"""
i = iter(d); d['x'] = 1; next(i)
i = iter(d); d['x'] = 1; d.pop('x'); answer = list(i)
i = iter(d.items()); del d['a']; next(i)
i = iter(d.values()); next(i); d.clear(); next(i)
i = reversed(d); next(i); d['x'] = 1; next(i)
i = reversed(d.items()); d.popitem(); next(i)
i = iter(d); next(i); d['a'] = 5; answer = list(i)
i = iter(d.items()); next(i); d['b'] = 5; answer = list(i)
i = iter(d); d.update(a=5, b=6); answer = list(i)
i = iter(d); d.update(new=5); next(i)
i = iter(d); d.setdefault('a', 9); d.pop('z', 0); d.get('q'); answer = list(i)
i = iter(d); d.setdefault('new', 9); list(i)
i = iter(d); d |= {'new': 1}; list(i)
for k in d: d.clear()
for k in d: d[k, 1] = 0
for k in d: del d[k]
for k in d: d[k] = k, 1
for k in d.keys(): d.popitem()
for k in list(d): d[k, 1] = 0
for k, v in d.items(): d[k] = [k]
i = iter(d); list(i); d['x'] = 1; answer = list(i)
i = iter(d); list(i); d['x'] = 1; next(i)
i = iter(d); list(i); next(i)
i = reversed(d); list(i); d['x'] = 1; answer = list(i), next(i, 'end')
i = iter(d); d['x'] = 1\nfor _ in range(2):\n  try: next(i)\n  except RuntimeError as error: answer = str(error)
i = iter(d); d['x'] = 1\ntry: next(i)\nexcept RuntimeError: pass\ndel d['x']; answer = list(i)
answer = [iter(d).__length_hint__(), iter(d.values()).__length_hint__(), reversed(d).__length_hint__()]
i = iter(d); next(i); answer = i.__length_hint__(), list(i), list(i), i.__length_hint__()
i = reversed(d.items()); next(i); answer = i.__length_hint__(), operator.length_hint(i), list(i), i.__length_hint__()
i = iter(d); next(i); d['x'] = 1; answer = i.__length_hint__()
i = iter(d); next(i); answer = i.__reduce__()[0], list(i.__reduce__()[1][0]), list(i)
i = iter(d.items()); answer = list(copy.copy(i)), next(i), list(copy.copy(i)), list(i)
i = iter(d); next(i); answer = list(pickle.loads(pickle.dumps(i))), list(i)
i = iter(d.values()); next(i); answer = list(pickle.loads(pickle.dumps(i))), len(list(i))
i = reversed(d); next(i); answer = list(copy.copy(i)), list(i)
i = iter(d); list(i); answer = list(copy.copy(i)), list(pickle.loads(pickle.dumps(i)))
i = iter(d); answer = iter(i) is i, hasattr(i, '__next__'), isinstance(i, collections.abc.Iterator)
i = iter(d); i.x = 1
hash(iter(d)); answer = iter(d) == iter(d), len(list(iter(d.items())))
len(iter(d))
reversed(iter(d))
answer = [k for k in d for v in d.values() if v == k], list(zip(d, d))
answer = next(iter(d)), next(reversed(d)), next(iter(d.items())), next(reversed(d.values()))
answer = all(a == b for a, b in zip(d, d.keys()))
d.clear(); answer = list(iter(d)), list(reversed(d)), iter(d).__length_hint__(), next(iter(d), 'none')
i = iter(d); e = d; d = None; answer = list(i); d = e
a, b = list(d)[:2]; answer = [type(x) for x in d.items()], a, b
i = iter(d.items()); x = next(i); y = next(i); answer = x, y, x is not y
"""

reentrant = r"""
d['r'] = alphabet.fail('first')
d[alphabet.Hooked(1, 'hash', alphabet.fail)] = 1
d[alphabet.Hooked(1, 'hash', alphabet.fail)]
d.get(alphabet.Hooked(1, 'hash', alphabet.fail))
alphabet.Hooked(1, 'hash', alphabet.fail) in d
d.pop(alphabet.Hooked(1, 'hash', alphabet.fail), None)
d.setdefault(alphabet.Hooked(1, 'hash', alphabet.fail))
del d[alphabet.Hooked(1, 'hash', alphabet.fail)]
d.update([(alphabet.Hooked(1, 'hash', alphabet.fail), 1)])
d |= [(alphabet.Hooked(1, 'hash', alphabet.fail), 1)]
d.keys() & [alphabet.Hooked(1, 'hash', alphabet.fail)]
d[alphabet.Hooked(1, 'hash', d.clear)] = 1
answer = d.get(alphabet.Hooked(1, 'hash', d.clear), 5)
d.setdefault(alphabet.Hooked(1, 'hash', lambda: d.update(x=1)), 2)
answer = d.pop(alphabet.Hooked(1, 'hash', d.popitem), 3)
d[alphabet.Hooked(1)] = 1; d[alphabet.Hooked(1, 'eq', alphabet.fail)] = 2
d[alphabet.Hooked(1)] = 1; d.pop(alphabet.Hooked(1, 'eq', alphabet.fail))
d[alphabet.Hooked(1)] = 1; d.setdefault(alphabet.Hooked(1, 'eq', alphabet.fail))
d[alphabet.Hooked(1)] = 1; del d[alphabet.Hooked(1, 'eq', alphabet.fail)]
d[alphabet.Hooked(1)] = 1; d.update([(alphabet.Hooked(1, 'eq', alphabet.fail), 2)])
d[alphabet.Hooked(1)] = 1; answer = d[alphabet.Hooked(1, 'eq', lambda: d.update(x=1))]
d[alphabet.Hooked(1)] = 1; answer = d.get(alphabet.Hooked(1, 'eq', lambda: d.pop('a')))
d[alphabet.Hooked(1)] = 1; d[alphabet.Hooked(1, 'eq', lambda: d.update(x=1))] = 2
d[alphabet.Hooked(1)] = 1; answer = d.setdefault(alphabet.Hooked(1, 'eq', lambda: d.update(x=1)), 2)
d[alphabet.Hooked(1)] = 1; answer = d.pop(alphabet.Hooked(1, 'eq', lambda: d.update(x=1)))
d[alphabet.Hooked(1)] = 1; del d[alphabet.Hooked(1, 'eq', lambda: d.update(x=1))]
answer = sorted(d, key=lambda k: str(d.get(k)))
answer = sorted(d, key=lambda k: d.setdefault(k, 1) and str(k))
sorted(d, key=lambda k: d.pop(k) and str(k))
max(d, key=lambda k: d.clear() or 1)
d.update((alphabet.fail(), 1) for _ in 'x')
answer = {k: d.update({k: 1}) for k in list(d)}
answer = d.items() & [(alphabet.Hooked(1, 'hash', lambda: None), 1)]
alphabet.Hooked(1, 'eq', d.clear) in d.values()
answer = [k for k in d.keys() if not d.update({k: 0})]
answer = d == {**d, 'b': alphabet.Hooked(1, 'eq', lambda: None)}
d == {**d, 'b': alphabet.Hooked(1, 'eq', alphabet.fail)}
"""
