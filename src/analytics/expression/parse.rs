//! Tokens to operations, by recursive descent.

use super::lex::{Kind, Token, tokens};
use super::{Binary, Expression, ExpressionError, Name, Op, STACK, WindowKind};

/// How deep brackets, signs and functions may be nested.
const MAX_DEPTH: usize = 60;

const FUNCTIONS: &str = "the functions are if, abs, sqrt, min, max, mean and rises";

pub(super) fn parse(text: &str) -> Result<Expression, ExpressionError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        height: 0,
        out: Expression { ops: Vec::new(), names: Vec::new(), windows: Vec::new() },
    };
    parser.either()?;
    let (column, found) = (parser.column(), parser.found());
    if !matches!(parser.peek(), Kind::End) {
        let remedy = "an operator or a comma is missing, or there is a bracket too many";
        return Err(fault(column, format!("{found} does not belong here"), remedy));
    }
    Ok(parser.out)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// How many values lie on the stack where the next operation starts.
    height: usize,
    out: Expression,
}

fn fault(column: usize, message: impl Into<String>, remedy: impl Into<String>) -> ExpressionError {
    ExpressionError { column, message: message.into(), remedy: remedy.into() }
}

impl Parser {
    fn peek(&self) -> &Kind {
        self.tokens.get(self.at).map_or(&Kind::End, |t| &t.kind)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |t| t.column)
    }

    fn found(&self) -> String {
        match self.peek() {
            Kind::Number(n) => format!("`{n}`"),
            Kind::Word(w) => format!("`{w}`"),
            Kind::Sign(s) => format!("`{s}`"),
            Kind::End => "the end".into(),
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        let yes = matches!(self.peek(), Kind::Sign(s) if *s == sign);
        self.at += usize::from(yes);
        yes
    }

    fn take_word(&mut self, word: &str) -> bool {
        let yes = matches!(self.peek(), Kind::Word(w) if w == word);
        self.at += usize::from(yes);
        yes
    }

    fn expect(&mut self, sign: &str, remedy: &str) -> Result<(), ExpressionError> {
        if self.take(sign) {
            return Ok(());
        }
        Err(fault(self.column(), format!("`{sign}` expected, found {}", self.found()), remedy))
    }

    /// Appends an operation that leaves `change` more values on the stack.
    fn emit(&mut self, op: Op, change: isize) -> Result<usize, ExpressionError> {
        self.height = self.height.saturating_add_signed(change);
        if self.height > STACK || self.out.ops.len() >= usize::from(u16::MAX) {
            return Err(fault(self.column(), "the expression is too long", "split it into several rules"));
        }
        self.out.ops.push(op);
        Ok(self.out.ops.len() - 1)
    }

    fn binary(&mut self, op: Binary) -> Result<(), ExpressionError> {
        self.emit(Op::Binary(op), -1).map(|_| ())
    }

    fn either(&mut self) -> Result<(), ExpressionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(fault(self.column(), "the expression is nested too deep", "split it into several rules"));
        }
        self.both()?;
        while self.take_word("or") {
            self.both()?;
            self.binary(Binary::Or)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn both(&mut self) -> Result<(), ExpressionError> {
        self.negation()?;
        while self.take_word("and") {
            self.negation()?;
            self.binary(Binary::And)?;
        }
        Ok(())
    }

    fn negation(&mut self) -> Result<(), ExpressionError> {
        // Counted, not recursive: a thousand of them need no thousand frames.
        let mut odd = false;
        let mut any = false;
        while self.take_word("not") {
            odd = !odd;
            any = true;
        }
        self.comparison()?;
        if any {
            self.emit(Op::Not, 0)?;
            if !odd {
                self.emit(Op::Not, 0)?;
            }
        }
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), ExpressionError> {
        self.sum()?;
        let Some(op) = self.take_comparison() else { return Ok(()) };
        self.sum()?;
        self.binary(op)?;
        let column = self.column();
        if self.take_comparison().is_some() {
            return Err(fault(column, "comparisons do not chain", "write `a < b and b < c`"));
        }
        Ok(())
    }

    fn take_comparison(&mut self) -> Option<Binary> {
        let Kind::Sign(sign) = self.peek() else { return None };
        let op = match *sign {
            "<" => Binary::Less,
            "<=" => Binary::LessEqual,
            ">" => Binary::Greater,
            ">=" => Binary::GreaterEqual,
            "==" => Binary::Equal,
            "!=" => Binary::NotEqual,
            _ => return None,
        };
        self.at += 1;
        Some(op)
    }

    fn sum(&mut self) -> Result<(), ExpressionError> {
        self.product()?;
        loop {
            let op = if self.take("+") {
                Binary::Add
            } else if self.take("-") {
                Binary::Subtract
            } else {
                return Ok(());
            };
            self.product()?;
            self.binary(op)?;
        }
    }

    fn product(&mut self) -> Result<(), ExpressionError> {
        self.signed()?;
        loop {
            let op = if self.take("*") {
                Binary::Multiply
            } else if self.take("/") {
                Binary::Divide
            } else {
                return Ok(());
            };
            self.signed()?;
            self.binary(op)?;
        }
    }

    fn signed(&mut self) -> Result<(), ExpressionError> {
        let mut minus = false;
        loop {
            if self.take("-") {
                minus = !minus;
            } else if !self.take("+") {
                break;
            }
        }
        self.power()?;
        if minus {
            self.emit(Op::Negate, 0)?;
        }
        Ok(())
    }

    fn power(&mut self) -> Result<(), ExpressionError> {
        self.primary()?;
        if self.take("^") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(fault(self.column(), "the expression is nested too deep", "split it into several rules"));
            }
            self.signed()?;
            self.binary(Binary::Power)?;
            self.depth -= 1;
        }
        Ok(())
    }

    fn primary(&mut self) -> Result<(), ExpressionError> {
        let column = self.column();
        let found = self.found();
        match self.peek().clone() {
            Kind::Number(value) => {
                self.at += 1;
                self.emit(Op::Constant(value), 1).map(|_| ())
            }
            Kind::Sign("(") => {
                self.at += 1;
                self.either()?;
                self.expect(")", "close the bracket")
            }
            Kind::Word(word) => {
                self.at += 1;
                if self.take("(") { self.function(&word, column) } else { self.name(&word, column) }
            }
            _ => Err(fault(
                column,
                format!("a value is expected, found {found}"),
                "write a number, a name or a function",
            )),
        }
    }

    fn name(&mut self, word: &str, column: usize) -> Result<(), ExpressionError> {
        match word {
            "hold" => return self.emit(Op::Hold, 1).map(|_| ()),
            "and" | "or" | "not" => {
                return Err(fault(
                    column,
                    format!("`{word}` stands where a value is expected"),
                    "write a value before and after it",
                ));
            }
            "if" | "abs" | "sqrt" | "min" | "max" | "mean" | "rises" => {
                return Err(fault(
                    column,
                    format!("`{word}` is a function"),
                    format!("write its arguments in brackets: {word}(…)"),
                ));
            }
            _ => {}
        }
        let mut parts: Vec<&str> = word.split('.').collect();
        let host = parts.len() > 1 && parts.first() == Some(&"host");
        if host {
            parts.remove(0);
        }
        let name = match parts.as_slice() {
            ["prop", name] => Name::Property { host, name: (*name).into() },
            [role] if *role != "prop" && *role != "host" => Name::Role { host, role: (*role).into() },
            _ => {
                let remedy = "a name is a role, host.role, prop.Name or host.prop.Name";
                return Err(fault(column, format!("`{word}` is no name"), remedy));
            }
        };
        let at = self.out.names.iter().position(|n| *n == name).unwrap_or_else(|| {
            self.out.names.push(name);
            self.out.names.len() - 1
        });
        self.emit(Op::Input(at as u16), 1).map(|_| ())
    }

    fn function(&mut self, name: &str, column: usize) -> Result<(), ExpressionError> {
        match name {
            "if" => {
                self.either()?;
                self.comma(name)?;
                let to_else = self.emit(Op::JumpIfZero(0), -1)?;
                let height = self.height;
                self.either()?;
                self.comma(name)?;
                let to_end = self.emit(Op::Jump(0), 0)?;
                let otherwise = self.out.ops.len() as u16;
                self.height = height;
                self.either()?;
                let end = self.out.ops.len() as u16;
                self.patch(to_else, Op::JumpIfZero(otherwise));
                self.patch(to_end, Op::Jump(end));
            }
            "abs" | "sqrt" => {
                self.either()?;
                self.emit(if name == "abs" { Op::Abs } else { Op::Sqrt }, 0)?;
            }
            "min" | "max" => {
                self.either()?;
                self.comma(name)?;
                loop {
                    self.either()?;
                    self.binary(if name == "min" { Binary::Min } else { Binary::Max })?;
                    if !self.take(",") {
                        break;
                    }
                }
            }
            "mean" | "rises" => {
                self.either()?;
                self.comma(name)?;
                let seconds = self.seconds(name)?;
                let kind = if name == "mean" { WindowKind::Mean { seconds } } else { WindowKind::Rises { seconds } };
                self.out.windows.push(kind);
                self.emit(Op::Window((self.out.windows.len() - 1) as u16), 0)?;
            }
            _ => return Err(fault(column, format!("`{name}` is not a function"), FUNCTIONS)),
        }
        self.expect(")", &format!("close the bracket of {name}(…), which has {}", arguments(name)))
    }

    fn comma(&mut self, name: &str) -> Result<(), ExpressionError> {
        self.expect(",", &format!("{name}(…) has {}", arguments(name)))
    }

    /// A window's length: a number in the text, so that the memory it needs is known.
    fn seconds(&mut self, name: &str) -> Result<f64, ExpressionError> {
        let column = self.column();
        match *self.peek() {
            Kind::Number(seconds) if (1.0..=31_622_400.0).contains(&seconds) => {
                self.at += 1;
                Ok(seconds)
            }
            _ => Err(fault(
                column,
                format!("{name}(…) needs the length of its window"),
                "write a number of seconds, at least 1 and at most a year",
            )),
        }
    }

    fn patch(&mut self, at: usize, op: Op) {
        if let Some(place) = self.out.ops.get_mut(at) {
            *place = op;
        }
    }
}

fn arguments(function: &str) -> &'static str {
    match function {
        "if" => "a condition and two values",
        "abs" | "sqrt" => "one value",
        "min" | "max" => "two values or more",
        _ => "a value and a number of seconds",
    }
}
