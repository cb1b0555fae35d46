"""Mutants of C code: one token or one statement changed at a time."""
import bisect
import re

TOKEN = re.compile(r'''
    (?P<skip>/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\#\s*(?:include|if|endif|else)[^\n]*)
  | (?P<number>\b(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^!~<>=?:;,.(){}\[\]\#])
''', re.S | re.X)

# What may stand in the place of an operator with two operands.
BINARY = {
    '<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'],
    '==': ['!='], '!=': ['=='], '&&': ['||'], '||': ['&&'],
    '+': ['-'], '-': ['+'], '/': ['*'], '%': ['/'], '&': ['|'], '|': ['&'], '^': ['|'],
    '<<': ['>>'], '>>': ['<<'], '+=': ['-='], '-=': ['+='], '|=': ['&='], '&=': ['|='],
}
WORDS = {'true': 'false', 'false': 'true', 'continue': 'break'}
# Enumerators that follow each other: one in the place of another.
ENUMERATORS = ['CAWS_CONNECTING', 'CAWS_OPEN', 'CAWS_CLOSING', 'CAWS_CLOSED']


class Mutant:
    """text[at:end] of a file becomes new."""

    def __init__(self, path, source, at, end, new):
        begin = source.rfind('\n', 0, at) + 1
        self.path, self.at, self.end, self.new = path, at, end, new
        self.old = ' '.join(source[at:end].split())
        self.line = source.count('\n', 0, at) + 1
        self.text = ' '.join(source[begin:source.find('\n', at)].split())
        # Which of several alike on this line.
        self.nth = source.count(source[at:end], begin, at) + 1

    def what(self):
        new = self.new if len(self.new) < 60 else '!(the condition)'
        nth = '' if self.nth == 1 else f' (no. {self.nth})'
        return f'{self.old} -> {new or "nothing"}{nth}'

    def key(self):
        return f'{self.path}\t{self.text}\t{self.what()}'

    def apply(self, source):
        # Lines stay where they are.
        lost = source.count('\n', self.at, self.end)
        return source[:self.at] + self.new + '\n' * lost + source[self.end:]


def tokens_of(source):
    return [m for m in TOKEN.finditer(source) if m.lastgroup != 'skip']


def number_mutants(text):
    digits = text.rstrip('uUlL')
    value, suffix = int(digits, 0), text[len(digits):]
    values = dict.fromkeys([value + 1, max(value - 1, 0), 0])
    return [f'{v}{suffix}' for v in values if v != value]


def closing(tokens, i):
    """The index of the parenthesis that closes the one at i."""
    depth = 0
    for k in range(i, len(tokens)):
        depth += {'(': 1, ')': -1}.get(tokens[k].group(), 0)
        if depth == 0:
            return k
    return None


def is_operand(token):
    return token.lastgroup in ('number', 'word') and token.group() != 'return' or \
        token.group() in (')', ']')


def token_changes(tokens, i):
    """What may stand in the place of token i."""
    token, text = tokens[i], tokens[i].group()
    if token.lastgroup == 'number':
        return number_mutants(text)
    if token.lastgroup == 'word':
        if text in ENUMERATORS:
            return [e for e in ENUMERATORS if e != text][:2]
        return [WORDS[text]] if text in WORDS else []
    if text == '!':
        return ['']
    if text in ('++', '--'):
        return ['--' if text == '++' else '++']
    if i > 0 and is_operand(tokens[i - 1]):
        return BINARY.get(text, [])
    return []


def conditions(tokens):
    """(first, last) of each condition of an if or a while, without its parentheses."""
    for i in range(len(tokens) - 1):
        if tokens[i].group() in ('if', 'while') and tokens[i + 1].group() == '(':
            last = closing(tokens, i + 1)
            if last:
                yield tokens[i + 2].start(), tokens[last].start()


def statements(tokens):
    """(start, end) of each simple statement, its semicolon included."""
    start, depth, braces = None, 0, 0
    for i, token in enumerate(tokens):
        text = token.group()
        depth += {'(': 1, ')': -1}.get(text, 0)
        braces += {'{': 1, '}': -1}.get(text, 0)
        if depth == 0 and text == ';' and start is not None and braces > 0:
            yield tokens[start].start(), token.end()
        if text in ('{', '}', ';', 'else') and depth == 0:
            start = i + 1
        elif text == ')' and depth == 0 and i + 1 < len(tokens):
            opener = i
            level = 0
            while opener >= 0:
                level += {')': 1, '(': -1}.get(tokens[opener].group(), 0)
                if level == 0:
                    break
                opener -= 1
            if opener > 0 and tokens[opener - 1].group() in ('if', 'while', 'for'):
                start = i + 1


def asserts(tokens):
    for i in range(len(tokens) - 1):
        if tokens[i].group() in ('assert', '_Static_assert') and tokens[i + 1].group() == '(':
            yield tokens[i].start(), tokens[closing(tokens, i + 1)].end()


def mutants_of(path, source):
    """All mutants of a file, in the order of their places."""
    tokens = tokens_of(source)
    found = []
    for i, token in enumerate(tokens):
        for new in token_changes(tokens, i):
            found.append(Mutant(path, source, token.start(), token.end(), new))
    for at, end in conditions(tokens):
        found.append(Mutant(path, source, at, end, f'!({source[at:end]})'))
    for at, end in statements(tokens):
        if source[at:end].split()[0] not in ('return', 'static', 'struct', 'typedef', 'break;'):
            found.append(Mutant(path, source, at, end, ';'))
    for match in re.finditer(r'\breturn ([^;]+);', source):
        if match.group(1) not in ('0', 'false', 'true', 'NULL'):
            found.append(Mutant(path, source, match.start(1), match.end(1), '0'))
    # An assert states an invariant: what is in it is not the program.
    spans = sorted(asserts(tokens))
    starts = [s for s, _ in spans]

    def asserted(m):
        k = bisect.bisect_right(starts, m.at) - 1
        return k >= 0 and m.at < spans[k][1]
    return sorted((m for m in found if not asserted(m)), key=lambda m: (m.at, m.end, m.new))
