//! A PL/pgSQL function while it is written: statements, and the variables that they use.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// The types of variables, with the letter that their names start with.
const TYPES: [(char, &str); 6] =
    [('j', "jsonb"), ('b', "boolean"), ('n', "integer"), ('a', "jsonb[]"), ('t', "text"), ('l', "text[]")];

/// How many variables there are of each type.
type Counts = [usize; TYPES.len()];

/// Statements, the variables they use, and the functions they call.
#[derive(Default)]
pub(super) struct Routine {
    text: String,
    depth: usize,
    used: Counts,
    most: Counts,
    deepens: bool,
    functions: BTreeMap<String, String>,
}

impl Routine {
    /// Lets the variables that `write` takes be taken again by what comes after: each is set before it is read.
    pub(super) fn scoped<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let used = self.used;
        let written = write(self);
        self.used = used;
        written
    }

    /// A variable of type `jsonb`.
    pub(super) fn json(&mut self) -> String {
        self.variable(0)
    }

    /// A variable of type `boolean`.
    pub(super) fn truth(&mut self) -> String {
        self.variable(1)
    }

    /// A variable of type `integer`.
    pub(super) fn count(&mut self) -> String {
        self.variable(2)
    }

    /// A variable of type `jsonb[]`.
    pub(super) fn list(&mut self) -> String {
        self.variable(3)
    }

    /// A variable of type `text`.
    pub(super) fn name(&mut self) -> String {
        self.variable(4)
    }

    /// A variable of type `text[]`.
    pub(super) fn names(&mut self) -> String {
        self.variable(5)
    }

    fn variable(&mut self, ty: usize) -> String {
        self.used[ty] += 1;
        self.most[ty] = self.most[ty].max(self.used[ty]);
        format!("{}{}", TYPES[ty].0, self.used[ty])
    }

    /// Writes a statement.
    pub(super) fn line(&mut self, statement: impl Display) {
        let indent = 2 * (self.depth + 1);
        // Writing to a `String` does not fail.
        let _ = writeln!(self.text, "{:indent$}{statement}", "");
    }

    /// Starts a loop.
    pub(super) fn open_loop(&mut self, head: impl Display) {
        self.open(format_args!("{head} LOOP"));
    }

    /// Ends a loop.
    pub(super) fn end_loop(&mut self) {
        self.close("END LOOP;");
    }

    /// Starts what is done under a condition. It stands in parentheses, or PL/pgSQL would take the first THEN in it for its
    /// own.
    pub(super) fn open_if(&mut self, condition: impl Display) {
        self.open(format_args!("IF ({condition}) THEN"));
    }

    /// Starts what is done under another condition.
    pub(super) fn else_if(&mut self, condition: impl Display) {
        self.depth -= 1;
        self.open(format_args!("ELSIF ({condition}) THEN"));
    }

    /// Starts what is done otherwise.
    pub(super) fn or_else(&mut self) {
        self.depth -= 1;
        self.open("ELSE");
    }

    /// Ends what is done under conditions.
    pub(super) fn end_if(&mut self) {
        self.close("END IF;");
    }

    /// A statement under a condition.
    pub(super) fn when(&mut self, condition: impl Display, statement: impl Display) {
        self.open_if(condition);
        self.line(statement);
        self.end_if();
    }

    fn open(&mut self, head: impl Display) {
        self.line(head);
        self.depth += 1;
    }

    fn close(&mut self, end: &str) {
        self.depth -= 1;
        self.line(end);
    }

    /// Leaves the record to the interpreter.
    pub(super) fn leave_when(&mut self, condition: impl Display) {
        self.when(condition, "RETURN;");
    }

    /// Notes that something may nest deeper than it did.
    pub(super) fn deepened(&mut self) {
        self.deepens = true;
        self.line("deepened := true;");
    }

    /// Notes that a value went deeper into the document.
    pub(super) fn deepened_by(&mut self, value: &str) {
        self.deepens = true;
        self.when(format_args!("jsonb_typeof({value}) IN ('object', 'array')"), "deepened := true;");
    }

    /// Whether anything may nest deeper than it did.
    pub(super) fn deepens(&self) -> bool {
        self.deepens
    }

    /// Whether a function is there already.
    pub(super) fn has_function(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// Adds a function, by what makes it.
    pub(super) fn add_function(&mut self, name: String, statement: String) {
        self.functions.insert(name, statement);
    }

    /// The statements.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The functions that the statements call, by name.
    pub(super) fn into_functions(self) -> BTreeMap<String, String> {
        self.functions
    }

    /// The declarations of the variables: the document, the residues, and what the statements took.
    pub(super) fn declarations(&self) -> String {
        let mut declared = String::from("DECLARE\n  f0 jsonb;\n  m0 jsonb;\n  s0 jsonb;\n");
        if self.deepens {
            declared.push_str("  deepened boolean := false;\n");
        }
        for ((letter, ty), most) in TYPES.iter().zip(self.most) {
            for number in 1..=most {
                let _ = writeln!(declared, "  {letter}{number} {ty};");
            }
        }
        declared
    }
}
