# SPDX-License-Identifier: Apache-2.0
r"""What can be done with a dict: statements over `d`, by topic. outcomes.py runs them, test_mapping.py says on what.

One case a line; a \n in it is the end of a line of its own.
"""

from __future__ import annotations

from typing import Any

start: dict[Any, Any] = {"a": 1, "b": [2, 3], 3: "three", None: None, (1, "x"): {"y": 2.5}, 2.5: b"bytes"}

reading = r"""
answer = d['a'], d[3], d[None], d[1, 'x'], d[2.5], d[3.0]
d['missing']
d[()]
d[1, 'y']
d[()] = 1; answer = d[()]
d[[]]
d[1, []]
answer = 'a' in d, 'z' in d, 3 in d, 3.0 in d, None in d, (1, 'x') in d, 'z' not in d
[] in d
answer = len(d), bool(d), not d
d.clear(); answer = len(d), bool(d), list(d), list(d.items()), repr(d), d == {}
answer = d.get('a'), d.get('z'), d.get('z', 5), d.get(None, 5), d.get(None), d.get('z', None)
default = object(); answer = d.get('z', default) is default, d.pop('z', default) is default
default = []; answer = d.get('z', default) is default, 'z' in d
d.get()
d.get(1, 2, 3)
d.get([])
d.get('a', default=1)
d.get(key='a')
answer = d.__contains__('a'), d.__getitem__('a'), d.__len__()
answer = d['a'] is d['a'], d['b'] == d['b']
answer = isinstance(d, dict), isinstance(d, collections.abc.MutableMapping), callable(d)
d()
d.no_such_attribute
answer = (lambda **words: words)(**{k: v for k, v in d.items() if isinstance(k, str)})
alphabet.use(**d)
for k in list(d)[2:]: del d[k]
answer = alphabet.use(0, **d, z=1), '%(a)s' % d, '{a} {b}'.format_map(d), '{b[1]}'.format(**d)
alphabet.use(a=0, **d)
'%(z)s' % d
'{z}'.format_map(d)
answer = {**d}, [*d], dict(d), dict(d, q=1), list(d), tuple(d), set(map(str, d))
answer = sorted(d, key=str), max(d, key=str), sum(1 for _ in d), list(enumerate(d))[0], list(zip(d, d.values()))[1]
sorted(d)
a, b, *rest = d; answer = a, b, rest
a, b = d
answer = operator.getitem(d, 'a'), operator.contains(d, 'z'), operator.length_hint(d), operator.truth(d)
answer = operator.itemgetter('a', 3)(d), operator.methodcaller('get', 'z', 1)(d)
operator.index(d)
answer = functools.reduce(lambda x, k: x + len(str(k)), d, 0)
answer = list(map(d.get, ['a', 'z'])), list(filter(d.__contains__, 'az'))
del d[1, 'x']; d[1, 'x'] = 5; answer = collections.ChainMap({'z': 0}, d)['a'], dict(collections.ChainMap({'z': 0}, d))
answer = types.MappingProxyType(d)['a'], len(types.MappingProxyType(d)), repr(types.MappingProxyType(d))
types.MappingProxyType(d)['z']
for k in list(d)[2:]: del d[k]
answer = json.dumps(d), json.loads(json.dumps(d)), json.dumps([d, {'x': d}], indent=1, sort_keys=True)
json.dumps(d)
"""

writing = r"""
d['a'] = 2; d['new'] = 3; answer = list(d)
d[{}] = 1
d[{}, 1] = 1
d.__setitem__('s', 1); d.__delitem__('s')
d.__setitem__('s')
answer = d.__setitem__('s', 1), d.__delitem__('s'), operator.setitem(d, 's', 2), operator.delitem(d, 'a')
del d['a']; d['a'] = 9; answer = list(d)
del d['z']
del d[1, 'z']
del d[[]]
d['a'] = d['a'] + 1; d['a'] += 1; d['a'] **= 3; answer = d['a']
d['z'] += 1
d['b'] += [4]; answer = d['b']
answer = d.pop('a'), d.pop('z', 4), d.pop(3, 4), d.pop(None), d.pop('z', None)
d.pop('z')
d.pop((1, 'y'))
d.pop()
d.pop(1, 2, 3)
d.pop('z', default=1)
d.pop([])
d.clear(); d.pop([], 1)
d.clear(); d.pop('z')
answer = [d.popitem() for _ in range(len(d))]
d['last'] = 1; d['a'] = 5; answer = d.popitem(), d.popitem()
d.clear(); d.popitem()
d.popitem(1)
d.popitem(last=False)
answer = d.clear(), d.clear()
d.clear(1)
answer = d.setdefault('a', 5), d.setdefault('n'), d.setdefault('m', (6,)), d['m'], d.setdefault(3.0, 'x'), list(d)
d.setdefault()
d.setdefault(1, 2, 3)
d.setdefault('n', default=1)
d.setdefault([], 1)
answer = d.setdefault('l', []); d['l'] = d['l'] + [1]; answer = d.setdefault('l', [])
d[1] = 'int'; d[True] = 'bool'; d[1.0] = 'float'; answer = d[1], [type(k) for k in d]
d[0] = 1; d[-0.0] = 2; answer = d[False]
d[-0.0] = 1; d[0] = 2; d[False] = 3
n = float('nan'); d[n] = 1; answer = d[n], float('nan') in d, n in d, d.get(n), (n,) in d; del d[n]
n = float('nan'); d[n] = 1; d[float('nan')] = 2; answer = len(d), d.pop(n); d.popitem()
n = float('nan'); d[n, 1] = 1; answer = d[n, 1], (float('nan'), 1) in d; del d[n, 1]
d[float('inf')] = 1; d[-math.inf] = 2; answer = d[math.inf], d[float('-inf')]
d[2**70] = 1; d[float(2**70)] = 2; answer = d[2**70], 2**70 + 1 in d
d[-2**200] = 1; d[2**200] = 2; d[2**64] = 3; d[-2**63] = 4; d[2**63] = 5; answer = d[-2**200], d[float(2**64)]
d['\ud800'] = '\udfff'; answer = d['\ud800']; del d['\ud800']
d['\0'] = '\0\0'; d[''] = ''; d[b''] = b'\0'; answer = d['\0'], d[''], d[b''], '\0\0' in d
d['a' * 5000] = 'b' * 100_000; answer = d['a' * 5000], 'a' * 4999 in d
d['a' * 1_000_000] = 1; d['a' * 999_999 + 'b'] = 2; answer = d['a' * 1_000_000]; d.clear()
for i in range(3000): d[i] = i * i\nanswer = sum(d[i] for i in range(3000))
for i in range(3000): d[i] = i\nfor i in range(0, 3000, 2): del d[i]\nanswer = len(d)
for turn in range(300): d['a'] = turn; del d['b']; d['b'] = turn\nanswer = list(d)
for turn in range(50): d[turn] = turn; d.popitem(); d.pop('a', 0); d['a'] = turn
for i in range(20): d[i] = i\nfor i in range(0, 20, 3): del d[i]\nfor i in range(20): d[i] = -i
d[...] = NotImplemented; d[int] = dict; d[len] = print; answer = d[...], d[int], d[len]
d[frozenset([1, 2])] = {1, 2}; answer = d[frozenset([2.0, True])]
x = (1, 2); d[x, x] = 1; answer = d[(1, 2), (1, 2)], d[(1.0, 2), (True, 2)]
d[alphabet.Level.LOW] = 1; d[1] = 2; answer = [type(k) for k in d if k == 1]
d[alphabet.SubStr('a')] = 'sub'; d[alphabet.Letter.B] = 'enum'; answer = d['a'], d['b'], list(map(type, d))
d[alphabet.CaseBlind('A')] = 5; d['Q'] = 1; d[alphabet.CaseBlind('q')] = 6
d[alphabet.Colliding(1)] = 1; d[alphabet.Colliding(2)] = 2; d[0] = 3; del d[alphabet.Colliding(1, 'other')]
k = alphabet.HashedByProcess(1); d[k] = 1; answer = d[k], d[alphabet.HashedByProcess(1, 'x')], len(d); del d[k]
d[alphabet.Tagged(1, 'first')] = 1; d[alphabet.Tagged(1, 'second')] = 2
"""

updating = r"""
d.update({'a': 0, 'u': 1}, v=2)
d.update([('a', 0), ('u', 1)])
d.update([['a', 0], 'uv', {'w': 1, 'x': 2}.items()])
d.update([['a', 0], 'uv', (k for k in 'wx')])
d.update()
d.update(self=1, other=2); answer = d['self'], d['other']
d.update(x=1, **{'not a name': 2, '': 3})
d.update(**{1: 2})
d.update({1: 2}, **{'a': 3})
d.update(5)
d.update('ab')
d.update('')
d.update(())
d.update([1])
d.update([None])
d.update(['abc'])
d.update([()])
d.update([(1,)])
d.update([(1, 2, 3)])
d.update({}, {})
d.update(5, a=1)
d.update([[[], 1]])
d.update([(1, 2) for _ in range(5)])
d.update(collections.ChainMap({'c': 1}))
d.update(collections.OrderedDict([('z', 1), ('a', 2)]))
d.update(collections.Counter('hello'))
d.update(collections.UserDict({'c': 1}))
d.update(types.MappingProxyType({'c': 1}))
d.update(alphabet.Keyed(a=0, q=1), r=2)
d.update(alphabet.DictWithMissing(a=0, q=1))
d.update(types.SimpleNamespace(keys=lambda: alphabet.fail('keys')))
d.update(types.SimpleNamespace(keys=lambda: 5))
d.update(types.SimpleNamespace(keys=lambda: ['p']))
d.update(types.SimpleNamespace(keys=None))
d.update(alphabet.raising())
d.update(alphabet.raising(5))
d.update((k, 0) for k in list(d))
d.update({k: v for k, v in d.items()})
d.update(zip('pqr', range(3)))
d.update({'k': 1}.items())
d.update(enumerate('xyz', 1))
d.update(d); answer = list(d)
d.update(d.items()); answer = list(d)
answer = d.update(a=1), d.__init__ is None
d.update({i: str(i) for i in range(3000)}); answer = d[2999]
d.update([('k', i) for i in range(100)]); answer = d['k']
d.update([(1, 'int'), (True, 'bool'), (1.0, 'float')])
d |= {'o': 1}; answer = None
d |= [('p', 2)]
d |= zip('pq', 'xy')
d |= alphabet.Keyed(a=0, q=1)
d |= 5
d |= [1]
d |= [(1, 2, 3)]
d |= None
d |= d
before = d; d |= {'o': 1}; answer = before is d
answer = d.__ior__({'o': 1}) is d, operator.ior(d, {'p': 1}) is d
answer = d | {'o': 1}, {'o': 1, 'a': 5} | d, type(d | {}), type({} | d), d | d
answer = d | {}, {} | d, operator.or_(d, {1: 1}), operator.or_({1: 1}, d)
answer = collections.OrderedDict(z=1) | {}, collections.OrderedDict(z=1) | d
answer = {'z': 1} | d, list({'b': 0, 'z': 1} | d)
answer = d.__or__(5), d.__ror__(5), d.__or__([('a', 1)])
d | 5
5 | d
d | [('p', 1)]
[('p', 1)] | d
d | None
answer = dict.fromkeys('ab', 1), d.fromkeys('ab') == {'a': None, 'b': None}
"""

comparing = r"""
answer = d == dict(d), d != dict(d), d == {}, d == 5, dict(d) == d, {} == d, d == collections.ChainMap(dict(d)), d == d
answer = d == collections.OrderedDict(d.items()), d == collections.UserDict(d), d == types.MappingProxyType(dict(d))
answer = d == dict(reversed(list(d.items()))), d == {**d, 'z': 1}, {**d, 'a': 2} == d, d != {}, d == None, d == []
answer = {'d': d} == {'d': dict(d)}, [d] == [dict(d)], (1, d) == (1, dict(d)), d in [dict(d)], [{}, dict(d)].index(d)
d['a'] = True; d[3.0] = 'three'; answer = d == {**d, 'a': 1, 3: 'three'}
answer = d.__eq__(5), d.__ne__(5), d.__lt__({}), d.__ge__({})
answer = d.__ne__({}), d.__eq__(dict(d))
answer = operator.eq(d, dict(d)), operator.ne(d, {}), operator.is_not(d, {})
d < {}
d <= {}
{} > d
d >= d
hash(d)
{d}
{d: 1}
answer = isinstance(d, collections.abc.Hashable)
-d
d + {}
d * 2
int(d)
d['e'] = alphabet.Word('x'); answer = d == {**d, 'e': 'X'}, {**d, 'e': 'X'} == d
answer = repr(d), str(d), f'{d}', '%s %r' % (d, d), format(d)
format(d, '>10')
d.clear(); answer = repr(d), str(d)
d['l'] = [d.copy()]; answer = repr(d)
l = []; l.append(l); d['l'] = l; answer = repr(d)
d['r'] = alphabet.Point(1, 'x'); d[alphabet.Color.RED] = {1}; d[''] = "it's"; answer = repr(d)
answer = d.copy(), type(d.copy()), copy.copy(d), copy.deepcopy(d), d.__copy__() if hasattr(d, '__copy__') else d.copy()
d.copy(1)
c = d.copy(); c['a'] = 5; c['b'] = 6; del c[3]; answer = c
c = copy.deepcopy(d); c['b'].append(4); answer = c['b'], d['b']
c = copy.copy(d); answer = c['b'] == d['b'], c == d, c is d
answer = copy.deepcopy([d, d]); answer = answer[0] == answer[1], answer[0] is answer[1]
"""

matching = r"""
match d:\n  case {'a': x, 'b': [*y], **rest}: answer = x, y, rest
match d:\n  case {'z': _}: answer = 'no'\n  case {}: answer = 'any'
match d:\n  case dict(): answer = 'dict'
match d:\n  case {'a': 2} | {'a': 1, 3: str(s)}: answer = s
match d:\n  case {None: None, 2.5: bytes(b)}: answer = b
match d:\n  case {'z': _}: answer = 'no'\n  case _: answer = list(d)
match d:\n  case [*_]: answer = 'sequence'\n  case collections.abc.Mapping(): answer = 'mapping'
"""
