use super::Steps;
use crate::document::{Path, Value};
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
        self.nodes.push(self.node(op));
    }

    /// A primitive of this step, for a body inside another.
    #[must_use]
    pub fn node(&self, op: Op) -> Node {
        Node { place: self.place.to_owned(), op }
    }

    /// Adds an edit.
    pub fn edit(&mut self, at: &Path, forward: Function, backward: Function) {
        self.push(Op::Edit(Box::new(Edit::new(at, forward, backward))));
    }

    /// Adds an edit whose way back may lead nowhere for some later value: `back` then stands in. `total` says that this
    /// cannot happen.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where `back` is needed and missing, or does not fit.
    pub fn edit_with_back(
        &mut self,
        at: &Path,
        forward: Function,
        backward: Function,
        total: bool,
        back: Option<&Value<'static>>,
    ) -> Result<()> {
        let fits = self.schema.require(at)?;
        let backward = match back {
            None if total => backward,
            None => {
                let message =
                    "expected \"back\", a value for those records of later versions that have no way back, found none";
                return Err(Error::new(ErrorKind::Chain, message).under_path(at));
            }
            Some(back) => {
                fits.validate(back).map_err(|error| error.of_kind(ErrorKind::Chain))?;
                Function::Within { function: Box::new(backward), fits, otherwise: back.clone() }
            }
        };
        self.edit(at, forward, backward);
        Ok(())
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
                let unknown = self.unknown_at(path)?;
                self.edit(path, Function::Enclose, Function::Prune(unknown));
                self.schema.declare(path, Schema::of_types(Type::Object.into()), true);
            }
            Presence::Optional | Presence::Required => {
                self.schema.require(path)?.types().expect_within(Type::Object.into(), path)?;
            }
        }
        Ok(())
    }

    /// What the schema says of a member that it does not declare.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the forms that the object around it may have say different things of such members: one
    /// that stood in an object of one form could not come back into one that has become another.
    pub fn unknown_at(&self, path: &Path) -> Result<Schema> {
        unknown_in(self.schema, path)
    }

    /// Checks that a text, where there is one, may be any text.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema at the path asks for more than the type.
    pub fn expect_plain(&self, path: &Path, schema: &Schema) -> Result<()> {
        match schema.is_plain() {
            true => Ok(()),
            false => {
                let message =
                    "expected a text without further bounds, found some; what the step makes could break them";
                Err(Error::new(ErrorKind::Chain, message).under_path(path))
            }
        }
    }

    /// Checks that a list may be of any length.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema at the path bounds it, or lists the permitted ones.
    pub fn expect_any_length(&self, path: &Path, schema: &Schema) -> Result<()> {
        match schema.is_of_any_length() {
            true => Ok(()),
            false => {
                let message = "expected a list that may be of any length, found one whose schema bounds it";
                Err(Error::new(ErrorKind::Chain, message).under_path(path))
            }
        }
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
        self.expect_objects_around(from)?;
        self.enclose_ancestors(to)?;
        let required = self.schema.requires(from);
        self.check_gaps(from, to, required)?;
        // What stands in the way on either side waits in the residue, and comes back.
        self.unknown_at(from)?;
        self.unknown_at(to)?;
        self.push(Op::Move(Move { from: from.clone(), to: to.clone() }));
        self.schema.undeclare(from);
        self.schema.declare(to, moved, required);
        Ok(())
    }

    /// A move between two objects must not need an object that is not there, nor leave one without what it must have.
    fn check_gaps(&self, from: &Path, to: &Path, required: bool) -> Result<()> {
        let parent = |path: &Path| path.split_last().map(|(parent, _)| parent);
        if parent(from) == parent(to) {
            return Ok(());
        }
        let may_be_absent = |path: &Path| self.schema.presence(path) == Presence::Optional;
        for (path, enclosing) in [from, to].into_iter().flat_map(|path| path.ancestors().map(move |at| (path, at))) {
            if may_be_absent(&enclosing) && (required || !self.schema.may_be_empty(&enclosing)) {
                let message = "expected enclosing objects that are always there, found one that may be absent, so that a record could not go both ways; \"add\" the enclosing object first";
                return Err(Error::new(ErrorKind::Chain, message).under_path(path));
            }
        }
        Ok(())
    }

    /// Checks that every value around a place that the schema declares is an object.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema permits another type.
    pub fn expect_objects_around(&self, path: &Path) -> Result<()> {
        for enclosing in std::iter::once(Path::default()).chain(path.ancestors()) {
            // One that is not declared is made, or the step finds that its place is not declared either.
            if let Some(known) = self.schema.at(&enclosing) {
                known.types().expect_within(Type::Object.into(), &enclosing)?;
            }
        }
        Ok(())
    }

    /// Sees to it that there is an object at every place around `path`; see [`Lowering::enclose`].
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the schema declares something that is no object.
    pub fn enclose_ancestors(&mut self, path: &Path) -> Result<()> {
        self.expect_objects_around(path)?;
        path.ancestors().try_for_each(|enclosing| self.enclose(&enclosing))
    }
}

/// What a schema says of a member that it does not declare.
pub(super) fn unknown_in(schema: &Schema, path: &Path) -> Result<Schema> {
    let parent = path.split_last().map(|(parent, _)| parent).unwrap_or_default();
    schema.at(&parent).map_or_else(|| Some(Schema::any()), Schema::strangers).ok_or_else(|| {
        let message = "expected an object whose forms say the same of members that they do not declare, found an \"anyOf\" or an \"enum\" that does not; give each branch the same \"additionalProperties\"";
        Error::new(ErrorKind::Chain, message).under_path(parent)
    })
}
