#include "wheelkit/scan.h"

int main()
{
    static const wk_visitor no_callbacks = {};
    wk_error error;
    return wk_scan(nullptr, 0, &no_callbacks, nullptr, &error) == WK_RESULT_NOT_A_BINARY && error.offset == 0
               ? 0
               : 1;
}
