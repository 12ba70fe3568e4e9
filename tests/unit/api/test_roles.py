"""The roles as people were told them: whoever changes one changes this table, too."""

from api.people.roles import PERMISSIONS, ROLES_OF_MERCHANT, SCOPES, Permission, Role

TOLD = {
    Role.OWNER: "read claims:write payments handoffs events reveal adjust annotate export "
    "supervise settings people audit",
    Role.SUPERVISOR: "read handoffs reveal adjust annotate export supervise",
    Role.AGENT: "read handoffs reveal",
    Role.REVIEWER: "read annotate",
    Role.ANALYST: "read",
    Role.OPERATOR: "read claims:write payments handoffs events reveal adjust annotate export "
    "supervise settings "
    "people audit merchants",
}


def test_roles_are_as_told() -> None:
    assert {role: set(told.split()) for role, told in TOLD.items()} == {
        role: {one.value for one in given} for role, given in PERMISSIONS.items()
    }


def test_only_operators_go_from_merchant_to_merchant_and_no_owner_makes_one() -> None:
    assert [role for role in Role if Permission.MERCHANTS in PERMISSIONS[role]] == [Role.OPERATOR]
    assert Role.OPERATOR not in ROLES_OF_MERCHANT


def test_a_key_can_never_do_what_takes_a_person() -> None:
    people = {
        *(Permission.PEOPLE, Permission.AUDIT, Permission.REVEAL, Permission.MERCHANTS),
        *(Permission.ADJUST, Permission.EXPORT, Permission.SUPERVISE, Permission.SETTINGS),
    }
    assert not people & set(SCOPES)
