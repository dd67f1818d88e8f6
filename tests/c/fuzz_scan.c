/* The libFuzzer target. It scans the input to the end, stops a second scan halfway, and scans without
 * callbacks. */
#include "scan_checker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const wk_visitor no_callbacks;
    scan_checker checker;
    const wk_result result = checked_scan(&checker, data, size, 0);
    const size_t facts = checker.facts;
    if (facts > 0) {
        REQUIRE(checked_scan(&checker, data, size, (facts + 1) / 2) == WK_RESULT_STOPPED);
    }
    REQUIRE(wk_scan(data, size, &no_callbacks, NULL, NULL) == result);
    return 0;
}
