/* Stands in for libtorch, which since its split holds nothing of its own. */
#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int torch_stands_for_its_parts(void)
{
    return 0;
}
