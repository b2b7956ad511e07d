"""Uses of packages in versions that leak, as leaks.txt has them: each loses something at every request."""
import io


def cbor2():
    import cbor2

    text = cbor2.dumps("é" * 70_000)
    return lambda number: cbor2.loads(text)


def greenlet():
    import threading

    import greenlet

    def paused():
        greenlet.getcurrent().parent.switch(1)

    def body():
        greenlet.greenlet(paused).switch()

    def use(number):
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()

    return use


def multidict():
    import multidict

    def use(number):
        one = multidict.CIMultiDict([("Accept", "a")])
        one.update({"Host": "h"})

    return use


def pillow():
    from PIL import Image

    written = io.BytesIO()
    Image.new("RGB", (64, 64)).save(written, "WEBP")

    def use(number):
        Image.open(io.BytesIO(written.getvalue())).load()

    return use


def ujson():
    import ujson

    def use(number):
        try:
            ujson.dumps(["a" * 100_000, object()])
        except TypeError:
            pass

    return use
