#include "orrery.h"

#include <math.h>

enum { STEPS = 64 };

double orrery_solve(double m, double e) {
    if (!(e >= 0.0 && e < 1.0)) return NAN;
    double found = m + e * sin(m);
    for (int step = 0; step < STEPS; step++) {
        const double change = (found - e * sin(found) - m) / (1.0 - e * cos(found));
        found -= change;
        if (fabs(change) < 1e-14) break;
    }
    return found;
}
