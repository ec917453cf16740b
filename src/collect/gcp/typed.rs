//! Reading an attribute as its declaration says: the path of the vendor's field, the type, and what it means that the field is absent.
//!
//! Google's JSON leaves out what is empty, false or zero in some APIs and what nobody set in others; a table says for each field which of them is documented.

use serde_json::{Map, Value, json};

use crate::collect::gcp::fields::{Read, flag, list, number, part, record, text, time};
use crate::model::{AttributeDecl, AttributeType, Gap, GapCause};

/// What the vendor documents for a field that is absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Absence {
    /// Switched off.
    False,
    /// There is none.
    Null,
    /// No entries.
    NoItems,
    /// No entries of a map.
    NoEntries,
    /// This word.
    Text(&'static str),
}

impl Absence {
    /// The value that an absent field stands for.
    pub(super) fn value(self) -> Value {
        match self {
            Self::False => json!(false),
            Self::Null => Value::Null,
            Self::NoItems => json!([]),
            Self::NoEntries => json!({}),
            Self::Text(word) => json!(word),
        }
    }
}

/// What absence means, by the attribute's name; members of records as `attribute.member`.
pub(super) type Absences = &'static [(&'static str, Absence)];

/// The path of the vendor's field, from the declaration: its last word, with `.` or `/` between names.
pub(super) fn path(declared: &AttributeDecl) -> String {
    declared.vendor.rsplit(' ').next().unwrap_or_default().replace('.', "/")
}

/// Reads a declared attribute out of an item; nothing where the field is absent and that is not documented to mean something.
pub(super) fn attribute(item: &Value, declared: &AttributeDecl, absences: Absences) -> Read<Value> {
    member(item, declared, declared.name, absences)
}

fn member(item: &Value, declared: &AttributeDecl, name: &str, absences: Absences) -> Read<Value> {
    let path = path(declared);
    let absent = absences.iter().find(|(known, _)| *known == name).map(|(_, absence)| absence.value());
    match typed(item, &path, declared.ty, name, absences)? {
        None => Ok(absent),
        known => Ok(known),
    }
}

fn typed(item: &Value, path: &str, ty: AttributeType, name: &str, absences: Absences) -> Read<Value> {
    Ok(match ty {
        AttributeType::Bool => flag(item, path)?.map(Value::from),
        AttributeType::Int => number(item, path)?.map(Value::from),
        AttributeType::Text => text(item, path)?.map(Value::from),
        AttributeType::Time => time(item, path)?.map(Value::from),
        AttributeType::Optional(inner) => typed(item, path, *inner, name, absences)?,
        AttributeType::List(inner) => match list(item, path)? {
            None => None,
            Some(entries) => Some(entries.iter().map(|entry| whole(entry, *inner, name, absences)).collect::<Result<Vec<_>, Gap>>()?.into()),
        },
        AttributeType::Map(inner) => match record(item, path)? {
            None => None,
            Some(entries) => {
                let read = entries.iter().map(|(key, entry)| Ok((key.clone(), whole(entry, *inner, name, absences)?)));
                Some(Value::Object(read.collect::<Result<Map<_, _>, Gap>>()?))
            }
        },
        AttributeType::Record(_) => match part(item, path)? {
            None => None,
            Some(entry) => Some(whole(entry, ty, name, absences)?),
        },
    })
}

/// An entry of a list or map: a record's members by their own paths, anything else as it stands. What is unknown inside makes the whole unknown.
fn whole(entry: &Value, ty: AttributeType, name: &str, absences: Absences) -> Result<Value, Gap> {
    if let AttributeType::Record(members) = ty {
        let read = members.iter().map(|declared| {
            let inner = format!("{name}.{}", declared.name);
            let value = member(entry, declared, &inner, absences)?;
            value.map(|value| (declared.name.to_owned(), value)).ok_or_else(|| Gap::new(GapCause::LeftOut, format!("the source left out {inner}")))
        });
        return Ok(Value::Object(read.collect::<Result<Map<_, _>, Gap>>()?));
    }
    // The field readers speak of a field of an object.
    let boxed = json!({ "entry": entry });
    typed(&boxed, "entry", ty, name, absences)?.ok_or_else(|| Gap::new(GapCause::Malformed, format!("an entry of {name} is null")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Absence, attribute};
    use crate::model::{AttributeDecl, AttributeType};

    const RULE: &[AttributeDecl] = &[
        AttributeDecl { name: "protocol", ty: AttributeType::Text, meaning: "", vendor: "IPProtocol" },
        AttributeDecl { name: "ports", ty: AttributeType::List(&AttributeType::Text), meaning: "", vendor: "ports" },
    ];
    const ALLOWED: AttributeDecl =
        AttributeDecl { name: "allowed", ty: AttributeType::List(&AttributeType::Record(RULE)), meaning: "", vendor: "compute.firewalls allowed" };

    #[test]
    fn absence_means_what_the_table_says_and_nothing_else() {
        let on = AttributeDecl { name: "on", ty: AttributeType::Bool, meaning: "", vendor: "x.y config.enabled" };
        assert_eq!(attribute(&json!({}), &on, &[]), Ok(None));
        assert_eq!(attribute(&json!({}), &on, &[("on", Absence::False)]), Ok(Some(json!(false))));
        assert_eq!(attribute(&json!({"config": {"enabled": true}}), &on, &[("on", Absence::False)]), Ok(Some(json!(true))));
        assert!(attribute(&json!({"config": {"enabled": "yes"}}), &on, &[("on", Absence::False)]).is_err());
    }

    #[test]
    fn a_record_with_a_hole_is_unknown_as_a_whole() {
        let item = json!({"allowed": [{"IPProtocol": "tcp", "ports": ["22"]}, {"IPProtocol": "icmp"}]});
        assert!(attribute(&item, &ALLOWED, &[]).is_err(), "no ports are not documented here");
        let known = attribute(&item, &ALLOWED, &[("allowed.ports", Absence::NoItems)]);
        assert_eq!(known, Ok(Some(json!([{"protocol": "tcp", "ports": ["22"]}, {"protocol": "icmp", "ports": []}]))));
        assert!(attribute(&json!({"allowed": [7]}), &ALLOWED, &[]).is_err());
    }
}
