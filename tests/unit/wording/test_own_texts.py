"""A merchant's texts put in and taken out one place at a time."""

from hypothesis import given
from hypothesis import strategies as st

from conversation.wording.catalogue import ADDRESS_FORMS, LANGUAGES, STANDARD, TONES, Place
from conversation.wording.own import own_text, own_texts, with_text, without

PLACES = st.builds(
    Place,
    st.sampled_from([STANDARD, "hello"]),
    st.sampled_from(TONES),
    st.booleans(),
    st.sampled_from(LANGUAGES),
    st.sampled_from(ADDRESS_FORMS),
)
TEXTS = st.text("abc", min_size=1, max_size=4)


@given(st.lists(st.tuples(PLACES, TEXTS), max_size=8))
def test_the_last_text_put_into_a_place_is_the_one_that_stands_there(
    puts: list[tuple[Place, str]],
) -> None:
    spec: dict[str, object] = {}
    model: dict[Place, str] = {}
    for place, text in puts:
        spec = with_text(spec, place, text)
        for form in ADDRESS_FORMS if place.language == "en" else (place.form,):
            model[place._replace(form=form)] = text
    for place, text in model.items():
        assert own_text(spec, place) == text
    assert set(own_texts("x", spec).values()) == set(model.values())
    for place in model:
        spec = with_text(spec, place, "")
    assert spec == {}


@given(st.lists(st.tuples(PLACES, TEXTS), max_size=8), st.sampled_from(ADDRESS_FORMS))
def test_taking_one_reader_out_leaves_the_others(puts: list[tuple[Place, str]], form: str) -> None:
    spec: dict[str, object] = {}
    for place, text in puts:
        spec = with_text(spec, place, text)
    left = without(spec, "de", form)
    for place, _ in puts:
        gone = (place.language, place.form) == ("de", form)
        assert own_text(left, place) == (None if gone else own_text(spec, place))


def test_a_text_for_both_forms_is_told_apart_when_one_changes() -> None:
    place = Place(STANDARD, "warm", False, "de", "du")
    assert with_text({"de": "beide"}, place, "nur du") == {"de": {"sie": "beide", "du": "nur du"}}
    assert without({"de": "beide"}, "de", "du") == {"de": {"sie": "beide"}}
