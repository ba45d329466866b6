/** Filters that several journeys use. */

export const OPEN = "status in ('active','investigating','unknownFutureValue')";
