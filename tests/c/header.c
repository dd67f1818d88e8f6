/* Check that the public header compiles on its own as C. header.cpp does the same for C++. */
#include "wheelkit/scan.h"

int main(void)
{
    static const wk_visitor no_callbacks;
    wk_error error;
    return wk_scan(NULL, 0, &no_callbacks, NULL, &error) == WK_RESULT_NOT_A_BINARY &&
                   error.result == WK_RESULT_NOT_A_BINARY
               ? 0
               : 1;
}
