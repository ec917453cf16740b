//! What a resource kind promises: its name, its attributes, their types and where the vendor documents them.

/// A kind of resource that a population can be made of, e.g. `github.branch`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    /// `source.noun`, e.g. `github.branch`.
    pub name: &'static str,
    /// One line: what one such resource is.
    pub meaning: &'static str,
    /// The least permission that answers every attribute, as the vendor names it.
    pub permission: &'static str,
    /// Everything a resource of this kind has; a resource never has more.
    pub attributes: &'static [AttributeDecl],
}

/// One declared attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttributeDecl {
    /// Snake case, e.g. `required_approvals`.
    pub name: &'static str,
    /// What an expression may do with it.
    pub ty: AttributeType,
    /// One line, with the unit where there is one.
    pub meaning: &'static str,
    /// The vendor's field it comes from, e.g. `GET /orgs/{org} two_factor_requirement_enabled`.
    pub vendor: &'static str,
}

/// Declares an attribute.
#[must_use]
pub const fn attribute(name: &'static str, ty: AttributeType, meaning: &'static str, vendor: &'static str) -> AttributeDecl {
    AttributeDecl { name, ty, meaning, vendor }
}

/// The types that attributes have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AttributeType {
    /// true or false.
    Bool,
    /// A signed 64-bit number.
    Int,
    /// Unicode text.
    Text,
    /// An instant; RFC 3339 text in JSON, a timestamp in expressions.
    Time,
    /// A list of one type.
    List(&'static AttributeType),
    /// Text keys, values of one type.
    Map(&'static AttributeType),
    /// Named fields, each as declared.
    Record(&'static [AttributeDecl]),
    /// The inner type, or null where the source says "there is none" (never where it says nothing).
    Optional(&'static AttributeType),
}

impl Kind {
    /// The last part of the name: the variable that expressions use, e.g. `branch`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// The first part of the name: the source, e.g. `github`.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// The declaration of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static AttributeDecl> {
        self.attributes.iter().find(|declared| declared.name == name)
    }
}

impl std::fmt::Display for AttributeType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Text => f.write_str("text"),
            Self::Time => f.write_str("time"),
            Self::List(inner) => write!(f, "list of {inner}"),
            Self::Map(inner) => write!(f, "map of {inner}"),
            Self::Record(fields) => {
                let names: Vec<_> = fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
                write!(f, "{{{}}}", names.join(", "))
            }
            Self::Optional(inner) => write!(f, "{inner} or null"),
        }
    }
}
