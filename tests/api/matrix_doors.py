"""The rows of `matrix.py` that are about how people sign in and what is their own."""

DOORS = """
#      route                          nobody    Carol     Bob       Alice     Mallory   Ada
# The second step
GET    accounts:sign_in_code          302       302       302       302       302       302
POST   accounts:sign_in_code          302       302       302       302       302       302
POST   accounts:passkey_options       200       200       200       200       200       200
POST   accounts:sign_in_passkey       422       302       302       302       302       302
GET    accounts:security              302       200       200       200       200       200
GET    accounts:app_start             302       200       200       200       200       200
POST   accounts:app_start             302       302       302       302       302       302
GET    accounts:app_confirm           302       302       302       302       302       302
POST   accounts:app_confirm           302       302       302       302       302       302
GET    accounts:app_remove            302       200       200       200       200       200
POST   accounts:app_remove            302       302       302       302       302       302
GET    accounts:recovery_codes        302       200       200       200       200       200
POST   accounts:recovery_codes        302       302       302       302       302       302
GET    accounts:passkey_add           302       302       302       302       302       302
POST   accounts:passkey_add           302       302       302       302       302       302
GET    accounts:passkey_remove        302       302       302       302       302       302
POST   accounts:passkey_remove        302       302       302       302       302       302
GET    accounts:sign_in_rules         302       403       403       200       200       200
POST   accounts:sign_in_rules         302       403       403       302       302       302
# The organisation's own sign-in, of which there is none here
GET    accounts:single_sign_on        404       302       302       302       302       302
GET    accounts:single_sign_on_back   404       302       302       302       302       302
# Picture and address
GET    accounts:picture               302       404       404       404       404       404
POST   accounts:picture_set           302       302       302       302       302       302
GET    accounts:address_change        302       200       200       200       200       200
POST   accounts:address_change        302       302       302       302       302       302
GET    accounts:address_confirm       302       410       410       410       410       410
POST   accounts:address_confirm       302       410       410       410       410       410
# Taking one's data away, and leaving
GET    accounts:data                  302       200       200       200       200       200
POST   accounts:data                  302       200       200       200       200       200
GET    accounts:account_delete        302       200       200       200       200       200
POST   accounts:account_delete        302       302       302       422       422       422
# What is open in one's name
GET    accounts:sessions              302       200       200       200       200       200
POST   accounts:session_end           302       302       302       302       302       302
POST   accounts:sessions_end_others   302       302       302       302       302       302
POST   accounts:sessions_end_all      302       302       302       302       302       302
POST   accounts:refresh_token_end     302       302       302       302       302       302
GET    accounts:tokens                302       200       200       200       200       200
POST   accounts:tokens                302       200       200       200       200       200
POST   accounts:token_revoke          302       302       302       302       302       302
GET    api:own_sessions               401       200       200       200       200       200
POST   api:own_sessions_end           401       204       204       204       204       204
DELETE api:own_session                401       404       404       404       404       404
GET    api:own_tokens                 401       200       200       200       200       200
POST   api:own_tokens                 401       201       201       201       201       201
DELETE api:own_token                  401       404       404       404       404       404
"""
