//! One line of a cost export, normalised.

use std::borrow::Cow;

use csv::ByteRecord;

use super::headers::{Column, Columns};
use crate::event_id::{Canonical, EventId, Occurrences};
use crate::json::loose::{Text, loose};
use crate::read::Reading;
use crate::regions::region_id;
use crate::resource::{id_word, lower, parts};
use crate::time::{Instant, day_micros, digits};

/// A normalised cost line; see the columns of the schema.
pub(crate) struct CostEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) statement_id: EventId,
    /// Microseconds since 1970.
    pub(crate) stated_at: i64,
    pub(crate) event_at: Instant,
    pub(crate) names: Names<'a>,
    pub(crate) resource_region: Option<Cow<'static, str>>,
    pub(crate) meter_id: Option<Cow<'a, str>>,
    pub(crate) meter_category: Option<&'a str>,
    pub(crate) meter_sub_category: Option<&'a str>,
    pub(crate) meter_name: Option<&'a str>,
    pub(crate) service_family: Option<&'a str>,
    pub(crate) consumed_service: Option<Cow<'a, str>>,
    pub(crate) product: Option<&'a str>,
    pub(crate) unit_of_measure: Option<&'a str>,
    pub(crate) quantity: Option<f64>,
    pub(crate) unit_price: Option<f64>,
    pub(crate) cost: Option<f64>,
    pub(crate) currency: Option<Cow<'a, str>>,
    pub(crate) charge_type: Option<Cow<'a, str>>,
    pub(crate) publisher_type: Option<Cow<'a, str>>,
    pub(crate) vm_size: Option<String>,
    pub(crate) tags: Option<&'a str>,
}

/// Whose the line is, and what it is for.
pub(crate) struct Names<'a> {
    pub(crate) subscription_id: Option<Cow<'a, str>>,
    pub(crate) subscription_name: Option<&'a str>,
    pub(crate) customer_tenant_id: Option<Cow<'a, str>>,
    pub(crate) customer_name: Option<&'a str>,
    pub(crate) reseller_mpn_id: Option<&'a str>,
    pub(crate) resource_id: Option<Cow<'a, str>>,
    pub(crate) resource_group: Option<Cow<'a, str>>,
}

loose! {
    /// The additional information of a line.
    struct AdditionalInfo {
        service_type: Text<'a> = "servicetype",
    }
}

/// Which part of a date with slashes comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlashOrder {
    MonthFirst,
    DayFirst,
}

/// Reads the lines of one file.
pub(super) struct LineReader {
    columns: Columns,
    dates: Dates,
    ids: Ids,
}

/// What is known of a file's dates.
#[derive(Default)]
struct Dates {
    /// Told by the first line that can tell.
    order: Option<SlashOrder>,
}

/// Gives lines their hashes.
#[derive(Default)]
struct Ids {
    canonical: Canonical,
    events: Occurrences,
}

impl LineReader {
    pub(super) fn new(columns: Columns) -> Self {
        Self { columns, dates: Dates::default(), ids: Ids::default() }
    }

    /// Normalises a line, or says why it cannot be used.
    pub(super) fn read<'r>(
        &mut self,
        record: &'r ByteRecord,
        reading: &Reading<'_>,
    ) -> Result<CostEvent<'r>, String> {
        if record.len() != self.columns.width {
            let width = self.columns.width;
            return Err(format!(
                "the line has {} fields, the header {width}; is a quote missing?",
                record.len()
            ));
        }
        let fields = Fields { columns: &self.columns, record };
        fields.check_text()?;
        let event_at = self.dates.read(&fields)?;
        let (quantity, cost) = (fields.amount(Column::Quantity)?, fields.amount(Column::Cost)?);
        if quantity.is_none() && cost.is_none() {
            return Err("neither cost nor quantity is given, so the line counts nothing".to_owned());
        }
        let location = fields.text(Column::Location).and_then(region_id);
        let mut event = CostEvent {
            event_id: [0; 16],
            statement_id: [0; 16],
            stated_at: reading.arrived_at.timestamp_micros(),
            event_at,
            names: fields.names(),
            resource_region: location.or_else(|| fields.text(Column::MeterRegion).and_then(region_id)),
            meter_id: fields.text(Column::MeterId).map(lower),
            meter_category: fields.text(Column::MeterCategory),
            meter_sub_category: fields.text(Column::MeterSubCategory),
            meter_name: fields.text(Column::MeterName),
            service_family: fields.text(Column::ServiceFamily),
            consumed_service: fields.text(Column::ConsumedService).map(lower),
            product: fields.text(Column::Product),
            unit_of_measure: fields.text(Column::UnitOfMeasure),
            quantity,
            unit_price: fields.amount(Column::UnitPrice)?,
            cost,
            currency: fields.text(Column::Currency).map(|code| Cow::Owned(code.to_ascii_uppercase())),
            charge_type: fields.text(Column::ChargeType).map(lower),
            publisher_type: fields.text(Column::PublisherType).map(lower),
            vm_size: fields.text(Column::AdditionalInfo).and_then(vm_size),
            tags: fields.text(Column::Tags),
        };
        self.ids.give(&mut event, &fields, reading);
        Ok(event)
    }
}

impl Ids {
    /// Gives the line its two hashes.
    ///
    /// What is read at once is one statement.
    fn give(&mut self, event: &mut CostEvent<'_>, fields: &Fields<'_, '_>, reading: &Reading<'_>) {
        let identity = self
            .canonical
            .start("cost")
            .text(Some(reading.partner_tenant_id.as_str()))
            .number(event.event_at.micros)
            .text(event.names.subscription_id.as_deref())
            .text(event.names.customer_tenant_id.as_deref())
            .text(event.names.resource_id.as_deref())
            .text(event.names.resource_group.as_deref())
            .text(event.meter_id.as_deref())
            .folded(event.meter_name)
            .folded(event.product)
            .text(event.resource_region.as_deref())
            .text(event.charge_type.as_deref())
            .folded(event.unit_of_measure)
            .text(event.currency.as_deref());
        for column in [
            Column::PartNumber,
            Column::Frequency,
            Column::ReservationId,
            Column::BenefitId,
            Column::ServiceInfo2,
            Column::AdditionalInfo,
        ] {
            identity.folded(fields.text(column));
        }
        let line_id = identity.id();
        let content = self
            .canonical
            .start("cost line")
            .bytes(&line_id)
            .amount(event.quantity)
            .amount(event.unit_price)
            .amount(event.cost)
            .folded(event.names.subscription_name)
            .folded(event.names.customer_name)
            .folded(event.names.reseller_mpn_id)
            .folded(event.meter_category)
            .folded(event.meter_sub_category)
            .folded(event.service_family)
            .text(event.consumed_service.as_deref())
            .text(event.publisher_type.as_deref())
            .text(event.tags)
            .id();
        event.event_id = self.events.distinct(content);
        event.statement_id = self.canonical.start("statement").number(event.stated_at).id();
    }
}

impl Dates {
    fn read(&mut self, fields: &Fields<'_, '_>) -> Result<Instant, String> {
        let Some(text) = fields.text(Column::Date) else {
            return Err("no date, so the line belongs to no day; fill its date column".to_owned());
        };
        let order = match self.order {
            Some(order) => order,
            None => {
                let found =
                    fields.text(Column::PeriodEnd).and_then(slash_order).or_else(|| slash_order(text));
                self.order = found;
                found.unwrap_or(SlashOrder::MonthFirst)
            }
        };
        parse_date(text, order).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let expected = match order {
                SlashOrder::MonthFirst => "MM/DD/YYYY",
                SlashOrder::DayFirst => "DD/MM/YYYY",
            };
            format!(
                "unusable date `{shown}`: YYYY-MM-DD or {expected}, as elsewhere in this file, is expected"
            )
        })
    }
}

/// The fields of one line by column.
struct Fields<'c, 'r> {
    columns: &'c Columns,
    record: &'r ByteRecord,
}

impl<'r> Fields<'_, 'r> {
    fn check_text(&self) -> Result<(), String> {
        match std::str::from_utf8(self.record.as_slice()) {
            Ok(_) => Ok(()),
            Err(_) => Err("the line is not UTF-8 text; save the file as UTF-8".to_owned()),
        }
    }

    /// The text of a column, unless blank.
    fn text(&self, column: Column) -> Option<&'r str> {
        // Fields were checked together; one that is cut within a character by a comma reads as blank.
        self.columns.field(self.record, column).and_then(|field| std::str::from_utf8(field).ok())
    }

    fn amount(&self, column: Column) -> Result<Option<f64>, String> {
        let Some(text) = self.text(column) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(amount) if amount.is_finite() => Ok(Some(amount)),
            _ => {
                let shown: String = text.chars().take(40).collect();
                Err(format!(
                    "`{shown}` in the {column:?} column is no number; digits with a decimal point are expected"
                ))
            }
        }
    }

    fn names(&self) -> Names<'r> {
        let resource_id = self.text(Column::ResourceId).map(lower);
        let in_path = parts(resource_id.as_deref().unwrap_or_default());
        let from_path = |part: Option<&str>| part.map(|part| Cow::Owned(part.to_owned()));
        let subscription_id =
            self.text(Column::SubscriptionId).map(subscription_of).and_then(id_word).map(lower);
        let resource_group = self.text(Column::ResourceGroup).map(lower);
        Names {
            subscription_id: subscription_id.or_else(|| from_path(in_path.subscription_id)),
            subscription_name: self.text(Column::SubscriptionName),
            customer_tenant_id: self.text(Column::CustomerTenantId).and_then(id_word).map(lower),
            customer_name: self.text(Column::CustomerName),
            reseller_mpn_id: self.text(Column::ResellerMpnId),
            resource_group: resource_group.or_else(|| from_path(in_path.resource_group)),
            resource_id,
        }
    }
}

/// Some files have `/subscriptions/<id>` where others have the id.
fn subscription_of(text: &str) -> &str {
    match text.rsplit_once('/') {
        Some((_, id)) => id,
        None => text,
    }
}

/// Which order a date with slashes must be in, if it can tell: its day is above 12.
fn slash_order(text: &str) -> Option<SlashOrder> {
    let mut parts = text.split('/').map(|part| digits(part.as_bytes()));
    match (parts.next()??, parts.next()??) {
        (13..=31, _) => Some(SlashOrder::DayFirst),
        (_, 13..=31) => Some(SlashOrder::MonthFirst),
        _ => None,
    }
}

fn parse_date(text: &str, order: SlashOrder) -> Option<Instant> {
    // A time of day, which some files have, is always midnight.
    let day = text.split([' ', 'T']).next().unwrap_or(text);
    if let Some((first, rest)) = day.split_once('/') {
        let (second, year) = rest.split_once('/')?;
        let [first, second] = [first, second].map(|part| digits(part.as_bytes()));
        let (month, day) = match order {
            SlashOrder::MonthFirst => (first?, second?),
            SlashOrder::DayFirst => (second?, first?),
        };
        return Instant::from_micros(day_micros(digits(year.as_bytes())?, month, day)?, 0);
    }
    if let [year @ .., m1, m2, d1, d2] = day.as_bytes()
        && day.len() == 8
    {
        return Instant::from_micros(
            day_micros(digits(year)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?)?,
            0,
        );
    }
    // A count since 1970 is no date.
    if day.contains('-') { Instant::parse(day) } else { None }
}

/// The machine size in the additional information, which some exports write without its braces.
fn vm_size(text: &str) -> Option<String> {
    let info: AdditionalInfo<'_> = if text.starts_with('"') {
        let braced = format!("{{{text}}}");
        return size(&serde_json::from_str(&braced).ok()?);
    } else {
        serde_json::from_str(text).ok()?
    };
    size(&info)
}

fn size(info: &AdditionalInfo<'_>) -> Option<String> {
    info.service_type.get().map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        use SlashOrder::{DayFirst, MonthFirst};
        let check = |text: &str, order: SlashOrder, expected: Option<&str>| {
            let found = parse_date(text, order).map(|at| {
                chrono::DateTime::from_timestamp_micros(at.micros).unwrap().format("%F").to_string()
            });
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("02/03/2031", MonthFirst, Some("2031-02-03"));
        check("02/03/2031", DayFirst, Some("2031-03-02"));
        check("2/3/2031 12:00:00 AM", MonthFirst, Some("2031-02-03"));
        check("2031-02-03", MonthFirst, Some("2031-02-03"));
        check("2031-02-03T00:00:00Z", DayFirst, Some("2031-02-03"));
        check("20310203", MonthFirst, Some("2031-02-03"));
        check("13/01/2031", MonthFirst, None);
        check("1927000000", MonthFirst, None);
        check("02/03", MonthFirst, None);
        check("", MonthFirst, None);
    }

    #[test]
    fn the_first_telling_date_decides() {
        assert_eq!(slash_order("02/28/2031"), Some(SlashOrder::MonthFirst));
        assert_eq!(slash_order("28/02/2031"), Some(SlashOrder::DayFirst));
        assert_eq!(slash_order("02/03/2031"), None);
        assert_eq!(slash_order("2031-02-28"), None);
        assert_eq!(slash_order("a/b/c"), None);
    }

    #[test]
    fn machine_sizes() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(vm_size(text).as_deref(), expected, "{text}");
        check(r#"{"ServiceType":"Standard_D2s_v3","VMName":"x"}"#, Some("standard_d2s_v3"));
        check(r#""ServiceType":"Standard_D2s_v3""#, Some("standard_d2s_v3"));
        check(r#"{"UsageType":"ComputeHR"}"#, None);
        check(r#"{"ServiceType":"cut"#, None);
        check("none", None);
    }
}
