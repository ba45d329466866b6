/** Filters that several journeys use. */

export const OPEN = "status ne 'resolved'";
