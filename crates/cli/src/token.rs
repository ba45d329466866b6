//! `tenantwatch token`

use ::alerts::{CustomerTenantId, PartnerTenantId, ResellerTenantId};
use chrono::Utc;
use clap::Args;
use graph::auth::issuer::{Issuer, TOKEN_LIFE, TokenRequest};
use graph::auth::{INGEST, READ, READ_WRITE};

use crate::installation::Installation;
use crate::output;

/// The user of a token for which none was named.
const DEVELOPER: &str = "developer@partner.example";

/// Print an access token of the development issuer
///
/// It holds for one hour.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  TOKEN=$(tenantwatch token --scope PartnerSecurity.ReadWrite.All --user ann@partner.example)\n  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/beta/security/partner/securityAlerts"
)]
pub(crate) struct Token {
    #[command(flatten)]
    installation: Installation,

    /// PartnerSecurity.Read.All, PartnerSecurity.ReadWrite.All or Ingest.Write.All (may be repeated)
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,

    /// A token of an application itself (roles) instead of a user's (scopes)
    #[arg(long, conflicts_with = "user")]
    app: bool,

    /// Sign-in name of the user, for the activity log (default: developer@partner.example)
    #[arg(long, value_name = "UPN")]
    user: Option<String>,

    /// Partner tenant whose alerts the token opens (default: the installation's own)
    #[arg(long, value_name = "ID")]
    partner_tenant: Option<PartnerTenantId>,

    /// Open only the alerts of this reseller's customers
    #[arg(long, value_name = "ID", conflicts_with = "customer_tenant")]
    reseller_tenant: Option<ResellerTenantId>,

    /// Open only the alerts of this customer
    #[arg(long, value_name = "ID")]
    customer_tenant: Option<CustomerTenantId>,
}

impl Token {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        for scope in &self.scopes {
            // Whoever tests a refusal wants such a token; whoever mistypes wants to know.
            if ![READ, READ_WRITE, INGEST].contains(&scope.as_str()) {
                output::say(&format!(
                    "'{scope}' opens nothing in this API; its scopes are {READ}, {READ_WRITE} and {INGEST}"
                ));
            }
        }
        let partner_tenant_id = match self.partner_tenant {
            Some(partner) => partner,
            None => self.installation.settings()?.partner_tenant_id,
        };
        let issuer = Issuer::open(&self.installation.data_dir().issuer())?;
        let token = issuer.sign(&TokenRequest {
            partner_tenant_id,
            permissions: self.scopes,
            user: (!self.app).then(|| self.user.unwrap_or_else(|| DEVELOPER.to_owned())),
            reseller_tenant_id: self.reseller_tenant,
            customer_tenant_id: self.customer_tenant,
            issued_at: Utc::now(),
            life: TOKEN_LIFE,
        })?;
        Ok(output::print(&token)?)
    }
}
