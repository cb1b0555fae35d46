"""mutate.py COUNT SEED: does a test fail when the library is wrong?

A seeded sample of COUNT mutants of lib/protocol that compile and are not the
same machine code as the original. Each goes into a shared library, which the
test programs, the fuzz targets over their corpus and the simulation then use.
Killed is one for which a program fails, crashes, is stopped by a sanitizer or
takes far more processor time than it should."""
import glob
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import mutants

HERE = os.path.dirname(__file__)
CC = os.environ.get('CC', 'cc').split()
LANG = os.environ['LANG_C'].split()
BUILD = os.environ.get('BUILD', 'build')
JOBS = int(os.environ.get('JOBS') or os.cpu_count())
CMOCKA = os.environ['CMOCKA'].split()
PLAIN = ['-O1', '-g0', '-fPIC', '-w', '-fno-semantic-interposition', '-ftrivial-auto-var-init=zero']
UBSAN = ['-fsanitize=undefined', '-fno-sanitize-recover=all']
ASAN = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']
SIM_SEEDS = '150'


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode != 0:
        sys.exit(f'mutate: {" ".join(command)}\n{done.stdout.decode(errors="replace")}')


def lib_files(ending):
    with open('lib/ORDER') as order:
        names = [line.strip() for line in order if line[0].isalpha()]
    return ['lib/' + n for n in names if n.endswith(ending)]


class Program:
    """One that can kill: what to run, and how long the original takes."""

    def __init__(self, name, sources, arguments=(), libraries=()):
        self.name, self.sources = name, sources
        self.arguments, self.libraries = list(arguments), list(libraries)
        self.seconds, self.kills = 0.0, 0


def programs():
    units = {os.path.basename(f)[:-2] for f in lib_files('.c') if '/protocol/' in f}
    support = sorted(glob.glob('tests/support/*.c'))
    found = []
    for path in sorted(glob.glob('tests/unit/test_*.c') + glob.glob('tests/conformance/test_*.c')):
        name = os.path.basename(path)[5:-2]
        of_protocol = '/conformance/' in path or \
            any(name == u or name.startswith(u + '_') for u in units)
        if of_protocol:
            found.append(Program(name, [path] + support, libraries=CMOCKA))
    models = [f for f in sorted(glob.glob('fuzz/*.c'))
              if not os.path.basename(f).startswith(('fuzz_', 'replay'))]
    for path in sorted(glob.glob('fuzz/fuzz_*.c')):
        corpus = 'fuzz/corpus/' + os.path.basename(path)[5:-2]
        found.append(Program('fuzz ' + os.path.basename(path),
                             [path, 'fuzz/replay.c'] + models, [corpus]))
    found.append(Program('sim', sorted(glob.glob('tests/sim/*.c')), ['1', SIM_SEEDS]))
    return found


class Bench:
    """All programs and all of the library, compiled with some sanitizer."""

    def __init__(self, folder, sanitizer):
        self.folder, self.sanitizer = folder, sanitizer
        self.objects = {}
        self.programs = programs()
        os.makedirs(folder)

    def compile(self, source, to, root='.', flags=()):
        return [*CC, *LANG, '-Ilib', '-Itests/support', '-Ifuzz', *PLAIN, *flags, '-pthread',
                '-c', '-o', os.path.abspath(to), source], root

    def build(self):
        jobs = {}
        for source in lib_files('.c') + [s for p in self.programs for s in p.sources]:
            to = os.path.join(self.folder, source.replace('/', '_')[:-2] + '.o')
            jobs[source] = to
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda j: must(self.compile(j[0], j[1], '.', self.sanitizer)[0]),
                          jobs.items()))
            self.objects = {s: jobs[s] for s in lib_files('.c')}
            self.link(self.objects.values(), self.folder)
            list(pool.map(lambda p: must(
                [*CC, *self.sanitizer, '-pthread', '-o', self.path(p),
                 *[jobs[s] for s in p.sources], '-L' + self.folder, '-lmutant', *p.libraries]),
                self.programs))

    def path(self, program):
        return os.path.join(self.folder, program.name.replace(' ', '_') + '.run')

    def link(self, objects, folder):
        must([*CC, *self.sanitizer, '-shared', '-pthread', '-o',
              os.path.join(folder, 'libmutant.so'), *objects])

    def survives(self, program, folder, limit):
        """Runs to its end, with status 0, against the library in folder."""
        def limits():
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))
        env = dict(os.environ, LD_LIBRARY_PATH=folder, BUILD=BUILD,
                   ASAN_OPTIONS='detect_leaks=1:max_allocation_size_mb=1000')
        with open(os.path.join(folder, 'out'), 'wb') as out:
            try:
                done = subprocess.run([self.path(program), *program.arguments], stdout=out,
                                      stderr=out, stdin=subprocess.DEVNULL, env=env,
                                      preexec_fn=limits, timeout=60 + 10 * limit)
            except subprocess.TimeoutExpired:
                return False
        return done.returncode == 0

    def baseline(self):
        """The original passes, or nothing that follows means anything."""
        for program in self.programs:
            begin = time.monotonic()
            if not self.survives(program, self.folder, 120):
                with open(os.path.join(self.folder, 'out'), errors='replace') as out:
                    sys.exit(f'mutate: {program.name} fails without a mutant:\n{out.read()}')
            program.seconds = time.monotonic() - begin

    def limit(self, program):
        return int(10 * program.seconds) + 5

    def killer(self, stem, folder):
        """The first program that fails, those most likely to first."""
        def likely(p):
            return (not (p.name == stem or p.name.startswith(stem + '_')),
                    -p.kills / (p.seconds + 0.05), p.seconds)
        for program in sorted(self.programs, key=likely):
            if not self.survives(program, folder, self.limit(program)):
                program.kills += 1
                return program.name
        return None


class Trial:
    """Builds mutants and has them killed, each thread in a folder of its own."""

    def __init__(self, scratch, bench, known):
        self.scratch, self.bench, self.known = scratch, bench, known
        self.local = threading.local()
        self.originals = {}
        for source in lib_files('.c'):
            if '/protocol/' in source:
                self.originals[source] = self.code(source, '.')

    def folder(self):
        if not hasattr(self.local, 'folder'):
            self.local.folder = tempfile.mkdtemp(dir=self.scratch)
            for tree in ('lib', 'include'):
                shutil.copytree(tree, os.path.join(self.local.folder, tree))
        return self.local.folder

    def code(self, source, root):
        """What it becomes at -O2; None: it does not compile."""
        to = os.path.join(root if root != '.' else self.scratch, 'code.o')
        done = run([*CC, *LANG, '-Ilib', '-O2', '-g0', '-w', '-Werror=return-type', '-DNDEBUG',
                    '-c', '-o', os.path.abspath(to), source], cwd=root)
        if done.returncode != 0:
            return None
        with open(to, 'rb') as file:
            return file.read()

    def users(self, mutant):
        """The files that are compiled anew."""
        return [mutant.path] if mutant.path.endswith('.c') else list(self.originals)

    def judge(self, mutant):
        """(mutant, 'invalid' | 'same' | 'killed' | 'survived')"""
        folder = self.folder()
        target = os.path.join(folder, mutant.path)
        with open(mutant.path) as file:
            original = file.read()
        with open(target, 'w') as file:
            file.write(mutant.apply(original))
        try:
            return mutant, self.outcome(mutant, folder)
        finally:
            with open(target, 'w') as file:
                file.write(original)

    def outcome(self, mutant, folder):
        codes = {s: self.code(s, folder) for s in self.users(mutant)}
        if None in codes.values():
            return 'invalid'
        changed = [s for s in codes if codes[s] != self.originals[s]]
        if not changed:
            return 'same'
        if mutant.key() in self.known: # believed: to see it survive takes long
            return 'survived'
        stem = os.path.basename(mutant.path).rsplit('.', 1)[0]
        return 'killed' if self.run(self.bench, changed, folder, stem) else 'survived'

    def run(self, bench, changed, folder, stem):
        objects = dict(bench.objects)
        for source in changed:
            objects[source] = os.path.join(folder, os.path.basename(source)[:-2] + '.o')
            command, root = bench.compile(source, objects[source], folder, bench.sanitizer)
            if run(command, cwd=root).returncode != 0:
                sys.exit(f'mutate: {source} compiles at -O2 alone')
        bench.link(objects.values(), folder)
        return bench.killer(stem, folder)


def say(text, end='\n'):
    print(text, end=end, flush=True)


def reasons():
    """The survivors that are known, and why each cannot be killed."""
    found = {}
    with open(os.path.join(HERE, 'SURVIVORS.tsv')) as file:
        for line in list(file)[1:]:
            path, text, what, why = line.rstrip('\n').split('\t')
            found[f'{path}\t{text}\t{what}'] = why
    return found


def sample(trial, candidates, count):
    """Judges candidates in their order until count of them are real mutants."""
    tally = {'invalid': 0, 'same': 0, 'killed': 0, 'survived': 0}
    survivors = []
    begin = time.monotonic()
    with ThreadPoolExecutor(JOBS) as pool:
        pending = []
        source = iter(candidates)
        while tally['killed'] + tally['survived'] < count:
            while len(pending) < 20 * JOBS: # one survivor takes as long as many others
                mutant = next(source, None)
                if mutant is None:
                    break
                pending.append(pool.submit(trial.judge, mutant))
            if not pending:
                break
            mutant, outcome = pending.pop(0).result()
            tally[outcome] += 1
            if outcome == 'survived':
                survivors.append(mutant)
                if os.environ.get('KEYS') and mutant.key() not in trial.known:
                    say(f'survivor at line {mutant.line}: {mutant.key()}')
            done = tally['killed'] + tally['survived']
            if sys.stdout.isatty():
                say(f'\r{done} of {count}, {len(survivors)} survived ', '')
            elif outcome in ('killed', 'survived') and done % 100 == 0:
                say(f'{done} of {count} mutants, {len(survivors)} survived, '
                    f'{time.monotonic() - begin:.0f} s')
        for job in pending:
            job.cancel()
    return tally, survivors


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    only = os.environ.get('ONLY', '')
    os.makedirs(BUILD, exist_ok=True)
    scratch = tempfile.mkdtemp(dir=BUILD, prefix='mutate.')
    try:
        return mutate(count, seed, only, os.path.abspath(scratch))
    finally:
        shutil.rmtree(scratch)


def order(mutant, seed):
    """A change elsewhere in the library does not change it."""
    return hashlib.sha256(f'{seed} {mutant.key()}'.encode()).digest()


def mutate(count, seed, only, scratch):
    candidates = []
    for path in lib_files('.c') + lib_files('.h'):
        if '/protocol/' in path and only in path:
            with open(path) as file:
                candidates += mutants.mutants_of(path, file.read())
    candidates.sort(key=lambda m: order(m, seed))
    known = reasons()
    stale = known.keys() - {m.key() for m in candidates}
    if stale and not only:
        sys.exit('mutate: SURVIVORS.tsv names what is no mutant:\n' + '\n'.join(sorted(stale)))
    say(f'{len(candidates)} candidates; building')
    bench = Bench(os.path.join(scratch, 'ubsan'), UBSAN)
    bench.build()
    bench.baseline()
    trial = Trial(scratch, bench, known)
    tally, survivors = sample(trial, candidates, count)
    unknown = [m for m in survivors if m.key() not in known]
    if unknown:
        say(f'{len(unknown)} survivors without a reason go through all of it again with ASan')
        asan = Bench(os.path.join(scratch, 'asan'), ASAN)
        asan.build()
        asan.baseline()
        trial.bench = asan
        with ThreadPoolExecutor(JOBS) as pool:
            unknown = [m for m, outcome in pool.map(trial.judge, unknown)
                       if outcome == 'survived']
        survivors = [m for m in survivors if m.key() in known or m in unknown]
    for m in sorted(survivors, key=lambda m: (m.path, m.line)):
        say(f'{m.path}:{m.line}: {m.what()}    {known.get(m.key(), "NO REASON")}')
        if m.key() not in known and os.environ.get('KEYS'):
            say(m.key())
    drawn = tally['killed'] + tally['survived']
    killed = drawn - len(survivors)
    say(f'besides: {tally["invalid"]} do not compile, {tally["same"]} are the same code')
    if unknown:
        say(f'{len(unknown)} survivors stand without a reason in tests/mutate/SURVIVORS.tsv')
    say(f'mutate: {drawn} mutants, {killed} killed, {len(survivors)} survived, '
        f'{100 * killed / max(drawn, 1):.1f}%')
    # In a small sample a few that cannot be killed weigh too much.
    enough = killed >= 0.95 * drawn or count < 1000
    return 0 if drawn >= count and enough and not unknown else 1


if __name__ == '__main__':
    sys.exit(main())
