use super::Steps;
use crate::document::Path;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Body, Edit, Function, Move, Node, Op};
use crate::schema::{Presence, Schema, Type};

/// A step being lowered: the schema before it, which it carries on, and the nodes that it becomes.
pub struct Lowering<'l> {
    place: &'l str,
    /// The schema of the focus, as far as it has been carried.
    pub schema: &'l mut Schema,
    nodes: &'l mut Vec<Node>,
}

impl<'l> Lowering<'l> {
    pub(super) fn new(place: &'l str, schema: &'l mut Schema, nodes: &'l mut Vec<Node>) -> Self {
        Self { place, schema, nodes }
    }

    /// Adds a primitive.
    pub fn push(&mut self, op: Op) {
        self.nodes.push(Node { place: self.place.to_owned(), op });
    }

    /// Adds an edit.
    pub fn edit(&mut self, at: &Path, forward: Function, backward: Function) {
        self.push(Op::Edit(Box::new(Edit { at: at.clone(), forward, backward })));
    }

    /// Lowers steps whose focus lies inside this one's.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] as [`Steps::lower`].
    pub fn inside(&self, steps: &Steps, schema: &mut Schema) -> Result<Body> {
        steps.lower_inside(&format!("{} > ", self.place), schema)
    }

    /// Sees to it that there is an object at `path`: one that the schema does not declare is made, and on the way back
    /// taken away again where it is left empty.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema declares something that is no object.
    pub fn enclose(&mut self, path: &Path) -> Result<()> {
        match self.schema.presence(path) {
            Presence::Undeclared | Presence::Untyped => {
                self.edit(path, Function::Enclose, Function::Prune);
                self.schema.declare(path, Schema::of_types(Type::Object.into()), true);
            }
            Presence::Optional | Presence::Required => {
                self.schema.require(path)?.types().expect_within(Type::Object.into(), path)?;
            }
        }
        Ok(())
    }

    /// Moves a field, and its declaration with it.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the source is not declared, the target is, one lies inside the other, or the move
    /// has no way back that fits the schema before it.
    pub fn move_field(&mut self, from: &Path, to: &Path) -> Result<()> {
        let moved = self.schema.require(from)?;
        if from.overlaps(to) {
            let message = "expected a target apart from the source, found one inside the other";
            return Err(Error::new(ErrorKind::Chain, message).under_path(to));
        }
        self.schema.refuse(to)?;
        for enclosing in to.ancestors() {
            self.enclose(&enclosing)?;
        }
        let required = self.moves_required(from, to)?;
        self.push(Op::Move(Move { from: from.clone(), to: to.clone() }));
        self.schema.undeclare(from);
        self.schema.declare(to, moved, required);
        Ok(())
    }

    fn moves_required(&self, from: &Path, to: &Path) -> Result<bool> {
        let parent = |path: &Path| path.split_last().map(|(parent, _)| parent).unwrap_or_default();
        let (from_parent, to_parent) = (parent(from), parent(to));
        let required = self.schema.requires(from);
        if from_parent == to_parent {
            return Ok(required);
        }
        let optional = |path: &Path| self.schema.presence(path) == Presence::Optional;
        let leaves_gap = required && (optional(&from_parent) || optional(&to_parent));
        if leaves_gap || optional(&to_parent) && !self.schema.may_be_empty(&to_parent) {
            let message = "expected enclosing objects that are always there, found one that may be absent, so that a record could not go both ways; \"add\" the enclosing object first";
            return Err(Error::new(ErrorKind::Chain, message).under_path(if optional(&from_parent) {
                from
            } else {
                to
            }));
        }
        Ok(required)
    }
}
