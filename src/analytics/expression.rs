//! Expressions of computed points: `if(running > 0.5, mean(flow / prop.NominalFlow, 60), hold)`.
//!
//! Text is compiled once into a flat list of operations, bound once to the points of an element, and
//! then evaluated without allocating. Values are SI.
//!
//! | form | meaning |
//! |---|---|
//! | `1.5`, `2e-3` | a number |
//! | `+ - * / ^` | arithmetic; `^` binds to the right and closer than a sign, so `-2^2` is -4 |
//! | `< <= > >= == !=` | 1 when true, else 0; they do not chain |
//! | `and`, `or`, `not` | any number but 0 is true |
//! | `if(c, a, b)` | `a` when `c` is true, else `b`; only the chosen one is evaluated |
//! | `abs(x) sqrt(x) min(x, …) max(x, …)` | as the words say |
//! | `mean(x, s)` | mean of what `x` was at the evaluations of the last `s` seconds |
//! | `rises(x, s)` | how often `x` rose through 0.5 in the last `s` seconds |
//! | `hold` | the result stays what it was |
//! | `flow` | the element's point of that role |
//! | `host.flow` | the point of that role on what the element serves or is part of, the nearest first |
//! | `prop.Name`, `host.prop.Name` | the first numeric property of that name, taken once |

mod lex;
mod parse;
mod window;

use crate::site::PointIndex;
use crate::time::Time;
use std::fmt;
use window::Window;

/// The longest expression that is read, in characters.
pub const MAX_LENGTH: usize = 4096;

/// How many values may wait while an expression is evaluated.
const STACK: usize = 64;

/// A compiled expression, not yet bound to points.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    ops: Vec<Op>,
    names: Vec<Name>,
    windows: Vec<WindowKind>,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Where it stops making sense: the character's number, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for ExpressionError {}

/// A name that an expression uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// A point's role, `flow` or `host.flow`.
    Role {
        /// On what the element serves or is part of.
        host: bool,
        /// The role.
        role: String,
    },
    /// A numeric property, `prop.NominalFlow` or `host.prop.NominalFlow`.
    Property {
        /// On what the element serves or is part of.
        host: bool,
        /// The property's name, in any set.
        name: String,
    },
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, kind, name) = match self {
            Self::Role { host, role } => (host, "", role),
            Self::Property { host, name } => (host, "prop.", name),
        };
        write!(f, "{}{kind}{name}", if *host { "host." } else { "" })
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// A point's last value.
    Point(PointIndex),
    /// A number that does not change.
    Constant(f64),
}

/// What an evaluation comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// A finite number, SI.
    Value(f64),
    /// The result stays what it was.
    Hold,
    /// It cannot be computed: an input is unknown, or the sum has no finite result (division by zero).
    NotReady,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Constant(f64),
    Input(u16),
    Negate,
    Not,
    Abs,
    Sqrt,
    Binary(Binary),
    /// Goes on at an operation when the top of the stack is 0.
    JumpIfZero(u16),
    Jump(u16),
    Hold,
    /// Replaces the top of the stack by what the window makes of it.
    Window(u16),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Min,
    Max,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum WindowKind {
    Mean { seconds: f64 },
    Rises { seconds: f64 },
}

impl Expression {
    /// Compiles a text.
    ///
    /// # Errors
    /// The first place where it is no expression.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        parse::parse(text)
    }

    /// The names it uses, each once.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Binds every name to what `resolve` says it stands for.
    ///
    /// # Errors
    /// The first name that `resolve` does not know.
    pub fn bind(&self, mut resolve: impl FnMut(&Name) -> Option<Input>) -> Result<Bound, Name> {
        let mut inputs: Vec<PointIndex> = Vec::new();
        let mut meaning = Vec::with_capacity(self.names.len());
        for name in &self.names {
            meaning.push(match resolve(name).ok_or_else(|| name.clone())? {
                Input::Constant(value) => Op::Constant(value),
                Input::Point(point) => {
                    let at = inputs.iter().position(|p| *p == point).unwrap_or_else(|| {
                        inputs.push(point);
                        inputs.len() - 1
                    });
                    Op::Input(at as u16)
                }
            });
        }
        let ops = self
            .ops
            .iter()
            .map(|op| match op {
                Op::Input(name) => meaning.get(usize::from(*name)).copied().unwrap_or(Op::Constant(f64::NAN)),
                op => *op,
            })
            .collect();
        let windows = self.windows.iter().map(|w| Window::new(*w)).collect();
        Ok(Bound { ops, inputs, windows, latest: Time(i64::MIN) })
    }
}

/// An expression bound to points, with the memory of its windows.
#[derive(Clone, Debug)]
pub struct Bound {
    ops: Vec<Op>,
    inputs: Vec<PointIndex>,
    windows: Vec<Window>,
    latest: Time,
}

impl Bound {
    /// The points it reads, each once.
    pub fn inputs(&self) -> &[PointIndex] {
        &self.inputs
    }

    /// Takes over what the windows of another remember, and says whether it could: it must compute the same of the same
    /// points, whose numbers were others then.
    pub fn take_over(&mut self, old: &Self, point: impl Fn(PointIndex) -> Option<PointIndex>) -> bool {
        let same = self.ops == old.ops
            && self.inputs.len() == old.inputs.len()
            && self.inputs.iter().zip(&old.inputs).all(|(new, old)| point(*old) == Some(*new))
            && self.windows.len() == old.windows.len()
            && self.windows.iter().zip(&old.windows).all(|(new, old)| new.is_like(old));
        if same {
            self.windows.clone_from(&old.windows);
            self.latest = old.latest;
        }
        same
    }

    /// Evaluates it at `now`. `values` are those of [`Self::inputs`] in their order, SI, NaN where
    /// unknown; only an unknown value that is really read makes it [`Outcome::NotReady`]. A `now` before
    /// the last one counts as the last one.
    pub fn evaluate(&mut self, values: &[f64], now: Time) -> Outcome {
        self.latest = self.latest.max(now);
        self.walk(values).unwrap_or(Outcome::NotReady)
    }

    /// None where something is not finite or an input is unknown. The compiler keeps the stack inside its
    /// bounds; should it fail to, that too is "not ready" and no panic.
    fn walk(&mut self, values: &[f64]) -> Option<Outcome> {
        let mut stack = [0.0_f64; STACK];
        let mut height = 0_usize;
        let mut at = 0_usize;
        while let Some(op) = self.ops.get(at) {
            at += 1;
            match *op {
                Op::Constant(value) => {
                    *stack.get_mut(height)? = finite(value)?;
                    height += 1;
                }
                Op::Input(input) => {
                    *stack.get_mut(height)? = finite(*values.get(usize::from(input))?)?;
                    height += 1;
                }
                Op::Negate | Op::Not | Op::Abs | Op::Sqrt => {
                    let top = stack.get_mut(height.checked_sub(1)?)?;
                    *top = match op {
                        Op::Negate => -*top,
                        Op::Not => truth(*top == 0.0),
                        Op::Abs => top.abs(),
                        _ => finite(top.sqrt())?,
                    };
                }
                Op::Binary(binary) => {
                    height = height.checked_sub(1)?;
                    let right = *stack.get(height)?;
                    let left = stack.get_mut(height.checked_sub(1)?)?;
                    *left = finite(binary.apply(*left, right))?;
                }
                Op::JumpIfZero(target) => {
                    height = height.checked_sub(1)?;
                    if *stack.get(height)? == 0.0 {
                        at = usize::from(target);
                    }
                }
                Op::Jump(target) => at = usize::from(target),
                Op::Hold => return Some(Outcome::Hold),
                Op::Window(window) => {
                    let top = stack.get_mut(height.checked_sub(1)?)?;
                    *top = finite(self.windows.get_mut(usize::from(window))?.push(*top, self.latest))?;
                }
            }
        }
        Some(Outcome::Value(*stack.get(height.checked_sub(1)?)?))
    }
}

impl Binary {
    fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Power => a.powf(b),
            Self::Less => truth(a < b),
            Self::LessEqual => truth(a <= b),
            Self::Greater => truth(a > b),
            Self::GreaterEqual => truth(a >= b),
            Self::Equal => truth(a == b),
            Self::NotEqual => truth(a != b),
            Self::And => truth(a != 0.0 && b != 0.0),
            Self::Or => truth(a != 0.0 || b != 0.0),
            Self::Min => a.min(b),
            Self::Max => a.max(b),
        }
    }
}

fn truth(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests;
