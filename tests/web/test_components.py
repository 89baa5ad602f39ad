"""Components escape what they are given and keep their promises to assistive technology."""

from __future__ import annotations

import pytest
from django import forms
from django.template import engines
from django.test import RequestFactory
from django_cotton.compiler_regex import CottonCompiler

HOSTILE = '"><script>alert(1)</script>'


def render(source, **context):
    template = engines["django"].from_string(CottonCompiler().process(source))
    return template.render(context, RequestFactory().get("/things/?q=a&page=2"))


class TravelForm(forms.Form):
    name = forms.CharField(help_text="As in the passport.")
    note = forms.CharField(widget=forms.Textarea, max_length=100, required=False)
    active = forms.BooleanField(required=False)
    class_ = forms.ChoiceField(widget=forms.RadioSelect, choices=[("a", "First\nwide seats"), ("b", "Second")])
    secret = forms.CharField(widget=forms.PasswordInput)
    days = forms.IntegerField()


@pytest.mark.parametrize(
    "source",
    [
        '<c-button label="{{ x }}" />',
        '<c-button :label="x" data-name="{{ x }}" />',
        '<c-card :title="x" :hint="x">{{ x }}</c-card>',
        '<c-page-head :title="x" />',
        '<c-status state="running" :label="x" />',
        '<c-callout :title="x">{{ x }}</c-callout>',
        '<c-stat :label="x" :value="x" :note="x" />',
        '<c-empty :title="x" :text="x" />',
        '<c-search :value="x" :label="x" />',
        '<c-code :text="x" :label="x" />',
        '<c-prose :text="x" />',
        '<c-avatar :name="x" />',
        '<c-pager previous="{{ x }}" :summary="x" />',
    ],
)
def test_a_component_escapes_what_it_shows(source):
    assert "<script>" not in render(source, x=HOSTILE)


def test_attributes_pass_through_to_the_element():
    html = render('<c-button hx-post="/go/" hx-target:inherited="#x" data-confirm="Sure?" disabled>Go</c-button>')
    for part in ('hx-post="/go/"', 'hx-target:inherited="#x"', 'data-confirm="Sure?"', "disabled", 'type="button"'):
        assert part in html


def test_a_button_with_an_address_is_a_link():
    html = render('<c-button href="/x/" icon="plus">New</c-button>')
    assert '<a class="btn' in html
    assert "<button" not in html


def test_a_slot_that_is_not_given_is_empty_even_if_the_page_has_a_variable_of_that_name():
    html = render('<c-card title="T">body</c-card>', actions="LEAK", footer="LEAK", hint="LEAK")
    assert "LEAK" not in html


def test_a_wrong_field_points_to_its_hint_and_its_error():
    form = TravelForm({"name": ""})
    html = render('<c-field :field="form.name" />', form=form)
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html


def test_optional_fields_are_marked_and_long_texts_counted():
    html = render('<c-field :field="form.note" />', form=TravelForm())
    assert "optional" in html
    assert 'data-counter-for="id_note"' in html
    assert 'data-limit="100"' in html


def test_radio_cards_show_label_and_note():
    html = render('<c-field :field="form.class_" />', form=TravelForm())
    assert html.count('type="radio"') == 2
    assert "<b>First</b><small>wide seats</small>" in html
    assert "<legend>" in html


def test_a_check_box_is_a_switch():
    assert 'role="switch"' in render('<c-field :field="form.active" />', form=TravelForm())


def test_a_summary_of_errors_appears_when_more_than_two_fields_fail():
    html = render('<c-form-errors :form="form" />', form=TravelForm({}))
    assert 'href="#id_name"' in html
    assert "callout" not in render(
        '<c-form-errors :form="form" />', form=TravelForm({"name": "A", "class_": "a", "secret": "x"})
    )


def test_the_pager_keeps_the_query():
    from django.core.paginator import Paginator

    html = render('<c-pager :page="page" />', page=Paginator(range(30), 10).page(2))
    assert 'href="?q=a&amp;page=1"' in html
    assert 'href="?q=a&amp;page=3"' in html
    assert "11\N{EN DASH}20 of 30" in html


@pytest.mark.parametrize("page", ["403.html", "404.html", "500.html"])
def test_an_error_page_needs_no_context(page):
    assert "Mindloom" in engines["django"].get_template(page).render({})


def test_the_frame_renders_without_a_person():
    assert "Skip to content" in engines["django"].get_template("base.html").render({})


def test_the_style_guide_is_hidden_outside_development(settings):
    from django.http import Http404

    from mindloom.web.gallery import gallery

    settings.DEBUG = False
    with pytest.raises(Http404):
        gallery(RequestFactory().get("/ui/"))


def test_the_style_guide_shows_every_component(settings):
    from mindloom.web.gallery import gallery

    settings.DEBUG = True
    response = gallery(RequestFactory().get("/ui/"))
    assert response.status_code == 200
    assert b"<c-" not in response.content
    assert b"style=" not in response.content
