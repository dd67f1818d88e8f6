/* libFuzzer target: any bytes, scanned to the end and stopped on the way. */
#include "witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const wk_visitor nobody;
    witness w;
    const wk_result result = witness_scan(&w, data, size, 0);
    const size_t facts = w.facts;
    if (facts > 0) {
        WITNESS_REQUIRE(witness_scan(&w, data, size, (facts + 1) / 2) == WK_RESULT_STOPPED);
    }
    WITNESS_REQUIRE(wk_scan(data, size, &nobody, NULL, NULL) == result);
    return 0;
}
