//! Where addresses are, by a database that the operator supplies.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use maxminddb::{MaxMindDbError, Reader, geoip2};

/// A database of places by address, in MaxMind's format: GeoLite2 City, GeoIP2 City, or another of that layout.
#[derive(Debug, Clone)]
pub struct GeoDatabase(Arc<Reader<Vec<u8>>>);

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// It cannot be read, or is not of this format.
    #[error("{} cannot be read as a database of places; it must be a file in MaxMind's format (.mmdb), such as GeoLite2-City.mmdb", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: MaxMindDbError,
    },
    /// It knows other things than cities.
    #[error("{}: a database of the type '{found}' has no places; use one of cities", path.display())]
    NoPlaces {
        /// The file.
        path: PathBuf,
        /// What it says that it is.
        found: String,
    },
}

impl GeoDatabase {
    /// Reads a file into memory.
    ///
    /// # Errors
    ///
    /// [`GeoError`] if it cannot be read, or is no database of cities.
    pub fn open(path: &Path) -> Result<Self, GeoError> {
        let reader = Reader::open_readfile(path)
            .map_err(|source| GeoError::Unreadable { path: path.to_owned(), source })?;
        let found = &reader.metadata().database_type;
        if !found.contains("City") && !found.contains("Enterprise") {
            return Err(GeoError::NoPlaces { path: path.to_owned(), found: found.clone() });
        }
        Ok(Self(Arc::new(reader)))
    }

    /// Lets `ip_location` of a session answer from this database.
    pub fn register(&self, session: &SessionContext) {
        session.register_udf(ScalarUDF::from(IpLocation::from(Some(self.clone()))));
    }
}

/// `ip_location(address)`: `{country, city, latitude, longitude}`; null without a database.
#[derive(Debug)]
pub(super) struct IpLocation {
    signature: Signature,
    database: Option<GeoDatabase>,
}

/// A session has one.
impl PartialEq for IpLocation {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for IpLocation {}

impl Hash for IpLocation {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl From<Option<GeoDatabase>> for IpLocation {
    fn from(database: Option<GeoDatabase>) -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable), database }
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("country", DataType::Utf8, true),
        Field::new("city", DataType::Utf8, true),
        Field::new("latitude", DataType::Float64, true),
        Field::new("longitude", DataType::Float64, true),
    ])
}

impl ScalarUDFImpl for IpLocation {
    fn name(&self) -> &str {
        "ip_location"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [addresses] = columns.as_slice() else { return exec_err!("ip_location takes an address") };
        let addresses = addresses.as_string::<i32>();
        let (mut countries, mut cities) = (StringBuilder::new(), StringBuilder::new());
        let (mut latitudes, mut longitudes) = (Float64Builder::new(), Float64Builder::new());
        let mut known = Vec::with_capacity(addresses.len());
        for address in addresses {
            let place = match (&self.database, address.and_then(|address| address.trim().parse().ok())) {
                (Some(database), Some(address)) => find(database, address)?,
                _ => None,
            };
            known.push(place.is_some());
            let place = place.unwrap_or_default();
            countries.append_option(place.country.iso_code);
            cities.append_option(place.city.names.english);
            latitudes.append_option(place.location.latitude);
            longitudes.append_option(place.location.longitude);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(countries.finish()),
            Arc::new(cities.finish()),
            Arc::new(latitudes.finish()),
            Arc::new(longitudes.finish()),
        ];
        let places = StructArray::new(fields(), columns, Some(NullBuffer::from(known)));
        Ok(ColumnarValue::Array(Arc::new(places)))
    }
}

fn find(database: &GeoDatabase, address: IpAddr) -> Result<Option<geoip2::City<'_>>> {
    let found = database.0.lookup(address.to_canonical()).and_then(|found| found.decode());
    found.map_err(|error| exec_datafusion_err!("the database of places is damaged: {error}"))
}
