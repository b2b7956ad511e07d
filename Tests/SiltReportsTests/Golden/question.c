/* Quoted by the screens of QuestionTests. */
void place_order(void) {
    char *record = make_record(1013);
    remember(record);
}
