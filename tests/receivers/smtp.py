"""A real SMTP server (aiosmtpd) for tests: it demands STARTTLS and a login, and writes each message to a file.

smtp.py FOLDER CERTIFICATE KEY USER PASSWORD: says READY and its port.
"""

import pathlib
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

folder, certificate, key, user, password = sys.argv[1:]


class Handler:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        Handler.count += 1
        part = pathlib.Path(folder, f"{Handler.count}.part")
        part.write_bytes(envelope.content)
        part.rename(pathlib.Path(folder, f"{Handler.count}.eml"))
        return "250 kept as %d" % Handler.count


def authenticate(server, session, envelope, mechanism, login):
    is_right = (login.login, login.password) == (user.encode(), password.encode())
    # One that is "handled" would be answered here; the server answers what is not.
    return AuthResult(success=is_right, handled=False)


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)


class Server(Controller):
    def factory(self):
        return SMTP(
            self.handler,
            tls_context=context,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
        )


server = Server(Handler(), hostname="127.0.0.1", port=0)
try:
    server.start()
except OSError:
    # Versions that try whether they can be reached do so at the port that was asked for, which is none.
    pass
print("READY", server.server.sockets[0].getsockname()[1], flush=True)
while True:
    time.sleep(60)
