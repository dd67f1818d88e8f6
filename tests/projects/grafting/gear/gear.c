int gear_ratio(int teeth, int of)
{
    return of == 0 ? 0 : teeth / of;
}
