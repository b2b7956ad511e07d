"""A small use of each package: a function that sets it up and returns what a request calls with its number.

None of them keeps anything beyond a request: what grows is caches and free lists, of the package or of the interpreter.
"""
import datetime
import io


def people(number):
    return {"id": number, "name": f"person {number % 100}", "tags": ["a", "b", str(number)], "score": number / 7}


def aiohttp():
    import asyncio

    from aiohttp import ClientSession, web

    async def answer(request):
        return web.json_response({"id": request.match_info["id"], "q": request.query.get("q")})

    async def start():
        app = web.Application()
        app.router.add_get("/people/{id}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner.addresses[0][1]

    async def ask(number):
        async with ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/people/{number}?q=x", headers={"X-Id": str(number)}) as it:
                assert (await it.json())["id"] == str(number)

    loop = asyncio.new_event_loop()
    port = loop.run_until_complete(start())
    return lambda number: loop.run_until_complete(ask(number))


def cbor2():
    import cbor2

    def use(number):
        one = dict(people(number), when=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc))
        assert cbor2.loads(cbor2.dumps([one, one], value_sharing=True))[0]["id"] == number
        try:
            cbor2.loads(b"\x9f\x01")
        except cbor2.CBORDecodeError:
            pass

    return use


def cryptography():
    from cryptography import exceptions, fernet
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    box = fernet.Fernet(fernet.Fernet.generate_key())

    def use(number):
        assert box.decrypt(box.encrypt(b"%d" % number)) == b"%d" % number
        key = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public = serialization.load_pem_public_key(key.public_key().public_bytes(serialization.Encoding.PEM, form))
        signature = key.sign(b"text", ec.ECDSA(hashes.SHA256()))
        public.verify(signature, b"text", ec.ECDSA(hashes.SHA256()))
        try:
            public.verify(signature, b"other", ec.ECDSA(hashes.SHA256()))
        except exceptions.InvalidSignature:
            pass

    return use


def flask():
    import flask

    app = flask.Flask(__name__)
    app.secret_key = "secret"

    @app.route("/people/<int:number>")
    def show(number):
        flask.session["last"] = number
        return flask.render_template_string("<p>{{ one.name }}</p>", one=people(number))

    def use(number):
        with app.test_client() as client:
            assert client.get(f"/people/{number}").status_code == 200
            assert client.get("/nowhere").status_code == 404

    return use


def gevent():
    import gevent
    import gevent.event
    import gevent.pool
    import gevent.queue

    def use(number):
        queue, done = gevent.queue.Queue(), gevent.event.Event()
        workers = [gevent.spawn(queue.get) for _ in range(5)]
        gevent.spawn(done.wait)
        for item in range(5):
            queue.put(number + item)
        gevent.joinall(workers)
        done.set()
        try:
            with gevent.Timeout(0.0001):
                gevent.sleep(1)
        except gevent.Timeout:
            pass
        gevent.pool.Pool(2).map(str, range(4))

    return use


def greenlet():
    import greenlet

    def use(number):
        def body(value):
            while True:
                value = greenlet.getcurrent().parent.switch(value + 1)

        one = greenlet.greenlet(body)
        assert one.switch(number) == number + 1 and one.switch(5) == 6

        def fails():
            raise ValueError(number)

        try:
            greenlet.greenlet(fails).switch()
        except ValueError:
            pass
        one.throw(greenlet.GreenletExit)

    return use


def jinja2():
    import jinja2

    environment = jinja2.Environment(autoescape=True)
    page = "{% macro one(p) %}<li>{{ p.name|upper }}{% endmacro %}{% for p in all %}{{ one(p) }}{% endfor %}"
    listing = environment.from_string(page)

    def use(number):
        listing.render(all=[people(number + place) for place in range(5)])
        assert environment.from_string("{{ a }} of {{ b }}").render(a=number, b=7) == f"{number} of 7"
        try:
            environment.from_string("{% if %}")
        except jinja2.TemplateSyntaxError:
            pass

    return use


def lxml():
    import lxml.etree

    sheet = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
        <xsl:template match="/"><out><xsl:value-of select="count(//item)"/></out></xsl:template></xsl:stylesheet>"""

    def use(number):
        items = "".join(f"<item id='{place}'>{number}</item>" for place in range(10))
        root = lxml.etree.fromstring(f"<root>{items}</root>")
        assert len(root.xpath("//item[@id > $least]", least=4)) == 5
        transform = lxml.etree.XSLT(lxml.etree.fromstring(sheet))
        assert transform(root).getroot().text == "10"
        for _, element in lxml.etree.iterparse(io.BytesIO(lxml.etree.tostring(root))):
            element.clear()
        try:
            lxml.etree.fromstring("<open>")
        except lxml.etree.XMLSyntaxError:
            pass

    return use


def msgpack():
    import msgpack

    def use(number):
        unpacker = msgpack.Unpacker(ext_hook=msgpack.ExtType)
        packer = msgpack.Packer(default=str)
        for one in (people(number), msgpack.ExtType(3, b"x"), {"kind": object}):
            unpacker.feed(packer.pack(one))
        assert next(unpacker)["id"] == number and len(list(unpacker)) == 2
        try:
            msgpack.unpackb(b"\x81\xc1\x00")
        except ValueError:
            pass

    return use


def multidict():
    import multidict

    def use(number):
        one = multidict.CIMultiDict([("Accept", "a"), ("accept", "b"), (f"X-{number % 50}", str(number))])
        one.extend({"Host": "h"})
        assert one.getall("ACCEPT") == ["a", "b"] and one.popall("accept")
        proxy = multidict.MultiDictProxy(multidict.MultiDict(one))
        assert [*proxy.items()] and proxy == proxy.copy() and multidict.istr("Host") in one
        try:
            one["missing"]
        except KeyError:
            pass

    return use


def numpy():
    import numpy

    def use(number):
        one = numpy.arange(100, dtype=float).reshape(10, 10) + number
        assert (one @ one.T).shape == (10, 10) and numpy.linalg.norm(one) > 0
        made = numpy.array([(number, "a")], dtype=[("id", "i4"), ("name", "U5")])
        numpy.loadtxt(io.StringIO("1 2\n3 4"))
        numpy.frompyfunc(str, 1, 1)(made["id"])
        try:
            numpy.zeros((2, 3)) @ one
        except ValueError:
            pass

    return use


def orjson():
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS

    def use(number):
        one = dict(people(number), when=datetime.datetime(2020, 1, 1))
        assert orjson.loads(orjson.dumps({number: one, -1: [one]}, option=options))[str(number)]["id"] == number
        for bad in (lambda: orjson.loads(b'{"a": [1, '), lambda: orjson.dumps({"a": object()})):
            try:
                bad()
            except (orjson.JSONDecodeError, orjson.JSONEncodeError):
                pass

    return use


def pillow():
    from PIL import Image, ImageDraw, ImageFilter

    def use(number):
        image = Image.new("RGB", (64, 64), (number % 256, 0, 0))
        ImageDraw.Draw(image).text((4, 4), str(number))
        image = image.resize((32, 32)).filter(ImageFilter.GaussianBlur(1)).convert("L")
        for kind in ("PNG", "JPEG", "GIF"):
            written = io.BytesIO()
            image.save(written, kind)
            with Image.open(io.BytesIO(written.getvalue())) as read:
                read.load()

    return use


def protobuf():
    from google.protobuf import json_format, struct_pb2, timestamp_pb2

    def use(number):
        one = struct_pb2.Struct()
        one.update(people(number))
        other = struct_pb2.Struct.FromString(one.SerializeToString())
        assert other["id"] == number and other == one
        json_format.Parse(json_format.MessageToJson(one), struct_pb2.Struct())
        timestamp_pb2.Timestamp().FromDatetime(datetime.datetime(2020, 1, 1))
        try:
            struct_pb2.Struct.FromString(b"\xff\xff")
        except Exception:
            pass

    return use


def psutil():
    import psutil

    def use(number):
        one = psutil.Process()
        one.as_dict(["memory_info", "cpu_times", "num_fds", "threads", "open_files", "environ", "cmdline"])
        psutil.net_if_addrs(), psutil.cpu_times(percpu=True), psutil.virtual_memory(), one.cpu_affinity()
        try:
            psutil.Process(2**22 + number)
        except psutil.NoSuchProcess:
            pass

    return use


def pydantic():
    import pydantic

    class Person(pydantic.BaseModel):
        id: int
        name: str = pydantic.Field(max_length=20)
        tags: list[str] = []
        score: float

    def use(number):
        one = Person.model_validate(people(number))
        assert Person.model_validate_json(one.model_dump_json()) == one
        one.model_copy(update={"id": 3})
        try:
            Person(id="x", name="y" * 30)
        except pydantic.ValidationError as error:
            assert error.error_count() == 3 and str(error)

    return use


def regex():
    import regex

    words = regex.compile(r"(?<word>\p{L}+)(?:\s+(?<number>\d+))?")

    def use(number):
        text = f"person {number}, other {number + 1}; somebody"
        assert [m["word"] for m in words.finditer(text)] == ["person", "other", "somebody"]
        assert regex.fullmatch(r"(?:(\w)\s?)+", "a b c").captures(1) == ["a", "b", "c"]
        assert regex.search(r"(?:persom){e<=1}", text) and regex.sub(r"\d", lambda m: "#", text)
        assert len(regex.split(r"[,;]\s*", text)) == 3

    return use


def simplejson():
    import decimal

    import simplejson

    def use(number):
        one = dict(people(number), price=decimal.Decimal("1.10"), rows=(people(n) for n in range(3)))
        text = simplejson.dumps(one, iterable_as_array=True, use_decimal=True, sort_keys=True)
        assert simplejson.loads(text, use_decimal=True)["price"] == decimal.Decimal("1.10")
        for bad in (lambda: simplejson.loads('{"a": [1, '), lambda: simplejson.dumps({"a": object()})):
            try:
                bad()
            except (simplejson.JSONDecodeError, TypeError):
                pass

    return use


def sqlalchemy():
    import sqlalchemy
    from sqlalchemy import orm

    class Base(orm.DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "people"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
        name: orm.Mapped[str]

    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.StaticPool)
    Base.metadata.create_all(engine)

    def use(number):
        with orm.Session(engine) as session:
            session.add_all([Person(name=f"{number} {place}") for place in range(3)])
            session.flush()
            query = sqlalchemy.select(Person).where(Person.name.like(f"{number} %")).order_by(Person.id)
            assert len(session.scalars(query).all()) == 3
            session.rollback()

    return use


def tornado():
    import asyncio

    import tornado.httpclient
    import tornado.httpserver
    import tornado.netutil
    import tornado.web

    class Show(tornado.web.RequestHandler):
        def get(self, number):
            self.write(people(int(number)))

    async def start():
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        tornado.httpserver.HTTPServer(
            tornado.web.Application([(r"/people/(\d+)", Show)], log_function=lambda handler: None)
        ).add_sockets(sockets)
        return sockets[0].getsockname()[1]

    async def ask(number):
        client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
        await client.fetch(f"http://127.0.0.1:{port}/people/{number}")
        assert (await client.fetch(f"http://127.0.0.1:{port}/", raise_error=False)).code == 404
        client.close()

    loop = asyncio.new_event_loop()
    port = loop.run_until_complete(start())
    return lambda number: loop.run_until_complete(ask(number))
