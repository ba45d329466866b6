//! What Entra answers to a sign-in: AADSTS codes with their sentences, in Microsoft's documented sense
//! (learn.microsoft.com/entra/identity-platform/reference-error-codes).

/// How a sign-in ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The number after AADSTS; 0 is success.
    pub(crate) code: u32,
    /// A sentence.
    pub(crate) reason: &'static str,
}

const fn answer(code: u32, reason: &'static str) -> Answer {
    Answer { code, reason }
}

/// A token was given.
pub(crate) static SUCCESS: Answer = answer(0, "Other.");
/// The password is wrong.
pub(crate) static WRONG_PASSWORD: Answer =
    answer(50_126, "Error validating credentials due to invalid username or password.");
/// There is nobody of that name.
pub(crate) static NO_SUCH_USER: Answer = answer(50_034, "The user account does not exist in this directory.");
/// Too many tries, or a try from an address that is known to be bad.
pub(crate) static LOCKED: Answer = answer(
    50_053,
    "The account is locked: too many attempts with an incorrect user ID or password, or an address with \
     malicious activity.",
);
/// The password is too old.
pub(crate) static PASSWORD_EXPIRED: Answer = answer(50_055, "The password is expired.");
/// A second factor is needed; asked for on the same page.
pub(crate) static SECOND_FACTOR_NEEDED: Answer = answer(50_074, "Strong authentication is required.");
/// A second factor is asked for by policy.
pub(crate) static SECOND_FACTOR_ASKED: Answer = answer(
    50_076,
    "Due to a configuration change made by the administrator, or because the user moved to a new location, \
     multifactor authentication is needed.",
);
/// The second factor was refused, or did not come in time.
pub(crate) static SECOND_FACTOR_FAILED: Answer =
    answer(500_121, "Authentication failed during strong authentication request.");
/// Whether to stay signed in; not a failure.
pub(crate) static STAY_SIGNED_IN: Answer =
    answer(50_140, "This occurred due to 'Keep me signed in' interrupt when the user was signing-in.");
/// A policy forbids it.
pub(crate) static BLOCKED_BY_POLICY: Answer =
    answer(53_003, "Access has been blocked by Conditional Access policies.");
/// The secret of the application is wrong.
pub(crate) static WRONG_SECRET: Answer = answer(7_000_215, "Invalid client secret is provided.");
/// The secret of the application is too old.
pub(crate) static SECRET_EXPIRED: Answer = answer(7_000_222, "The provided client secret keys are expired.");
