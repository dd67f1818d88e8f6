#ifndef ORRERY_H
#define ORRERY_H

/* Solves Kepler's equation: the eccentric anomaly E with E - e*sin(E) = m, for an eccentricity 0 <= e < 1, by Newton's method.
 * Angles are in radians. A NaN comes back for any other eccentricity. */
double orrery_solve(double m, double e);

#endif
