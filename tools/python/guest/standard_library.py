# Parts of the standard library that Pyodide leaves out and that everyday code uses.


def _make_standard_library():
    import hashlib
    import hmac
    import os
    import sys

    def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
        """Source: RFC 8018, 5.2. OpenSSL has it in other builds of Python."""
        if iterations < 1:
            raise ValueError("iteration value must be greater than 0.")
        keyed = hmac.new(bytes(password), None, hash_name)
        if dklen is None:
            dklen = keyed.digest_size
        if dklen < 1:
            raise ValueError("key length must be greater than 0.")

        def digest(message):
            one = keyed.copy()
            one.update(message)
            return one.digest()

        derived = b""
        while len(derived) < dklen:
            block = len(derived) // keyed.digest_size + 1
            last = digest(bytes(salt) + block.to_bytes(4, "big"))
            total = int.from_bytes(last, "big")
            for _ in range(iterations - 1):
                last = digest(last)
                total ^= int.from_bytes(last, "big")
            derived += total.to_bytes(keyed.digest_size, "big")
        return derived[:dklen]

    def system(command):
        print(f"{command}: not run, there are no processes in this sandbox", file=sys.stderr)
        # As of a shell that does not find the command.
        return 127 << 8

    def install():
        # Where zoneinfo finds its time zones.
        sys.path.append("/lib/tzdata.whl")
        pbkdf2_hmac.__module__ = "hashlib"
        if not hasattr(hashlib, "pbkdf2_hmac"):
            hashlib.pbkdf2_hmac = pbkdf2_hmac
        os.system = system

    return install


_install_standard_library = _make_standard_library()
