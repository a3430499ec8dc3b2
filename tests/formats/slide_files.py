"""Writes small slides: of kinds that no library here writes (DICOM whole-slide images, a CZI with JPEG XR), and PNG of any size."""
import struct
import zlib

import numpy as np

WSI_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
UID_ROOT = "1.2.826.0.1.3680043.10.999999"


def element(group, number, kind, value):
    """One DICOM element, explicit VR. value: bytes, text, an int, or for SQ the bytes of its one item."""
    if kind in ("US", "UL"):
        value = struct.pack("<H" if kind == "US" else "<I", value)
    elif kind == "SQ":
        value = struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value
    elif not isinstance(value, bytes):
        value = str(value).encode()
    if len(value) % 2:
        value += b"\0" if kind in ("UI", "OB") else b" "
    size = struct.pack("<HI", 0, len(value)) if kind in ("OB", "OW", "SQ") else struct.pack("<H", len(value))
    return struct.pack("<HH", group, number) + kind.encode() + size + value


def tiles(image, side):
    """Square tiles row by row; those at the end are filled up with white."""
    height, width = -image.shape[0] % side, -image.shape[1] % side
    padded = np.pad(image, ((0, height), (0, width), (0, 0)), constant_values=255)
    rows, columns = padded.shape[0] // side, padded.shape[1] // side
    return padded.reshape(rows, side, columns, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)


def write_dicom(path, image, mpp, series, instance, kind="ORIGINAL\\PRIMARY\\VOLUME\\NONE", side=256):
    """One level of a slide. image: uint8 [H, W, 3]; series, instance: numbers, made into UIDs."""
    series_uid, instance_uid = f"{UID_ROOT}.{series}", f"{UID_ROOT}.{series}.{instance}"
    meta = b"".join([
        element(2, 1, "OB", b"\0\1"), element(2, 2, "UI", WSI_CLASS), element(2, 3, "UI", instance_uid),
        element(2, 0x10, "UI", EXPLICIT_LITTLE_ENDIAN), element(2, 0x12, "UI", UID_ROOT)])
    frames = tiles(image, side)
    spacing = element(0x28, 0x30, "DS", f"{mpp / 1000}\\{mpp / 1000}")  # millimetres
    body = [
        element(8, 8, "CS", kind), element(8, 0x16, "UI", WSI_CLASS), element(8, 0x18, "UI", instance_uid),
        element(8, 0x60, "CS", "SM"), element(0x20, 0xD, "UI", f"{UID_ROOT}.1"), element(0x20, 0xE, "UI", series_uid),
        element(0x20, 0x9311, "CS", "TILED_FULL"), element(0x28, 2, "US", 3), element(0x28, 4, "CS", "RGB"),
        element(0x28, 6, "US", 0), element(0x28, 8, "IS", len(frames)), element(0x28, 0x10, "US", side),
        element(0x28, 0x11, "US", side), element(0x28, 0x100, "US", 8), element(0x28, 0x101, "US", 8),
        element(0x28, 0x102, "US", 7), element(0x28, 0x103, "US", 0), element(0x48, 6, "UL", image.shape[1]),
        element(0x48, 7, "UL", image.shape[0]), element(0x5200, 0x9229, "SQ", element(0x28, 0x9110, "SQ", spacing)),
        element(0x7FE0, 0x10, "OB", frames.tobytes())]
    path.write_bytes(b"\0" * 128 + b"DICM" + element(2, 0, "UL", len(meta)) + meta + b"".join(body))


def segment(name, content):
    return name.encode().ljust(16, b"\0") + struct.pack("<qq", len(content), len(content)) + content


def write_czi(path, compression, width=64, height=48):
    """A CZI of one block of which only the directory is there. compression: 0 none, 4 JPEG XR, 6 zstd."""
    def dimension(name, size):
        return name.encode().ljust(4, b"\0") + struct.pack("<iifi", 0, size, 0, size)
    entry = b"DV" + struct.pack("<iqiib5xi", 3, 4096, 0, compression, 0, 2) + dimension("X", width) + dimension("Y", height)
    xml = (f"<ImageDocument><Metadata><Information><Image><SizeX>{width}</SizeX><SizeY>{height}</SizeY></Image></Information>"
           "<Scaling><Items><Distance Id='X'><Value>2.5e-07</Value></Distance><Distance Id='Y'><Value>2.5e-07</Value></Distance>"
           "</Items></Scaling></Metadata></ImageDocument>").encode()
    directory, metadata, attachments = 1024, 2048, 3072
    header = struct.pack("<iiii16s16siqqiq", 1, 0, 0, 0, b"g" * 16, b"g" * 16, 0, directory, metadata, 0, attachments)
    file = bytearray(8192)
    for position, content in ((0, segment("ZISRAWFILE", header.ljust(512, b"\0"))),
                              (directory, segment("ZISRAWDIRECTORY", struct.pack("<i124x", 1) + entry)),
                              (metadata, segment("ZISRAWMETADATA", struct.pack("<ii248x", len(xml), 0) + xml)),
                              (attachments, segment("ZISRAWATTDIR", struct.pack("<i252x", 0)))):
        file[position:position + len(content)] = content
    path.write_bytes(file)


def write_png(path, rows, width, height, channels=3):
    """8-bit PNG; rows: bytes of each row, which may be made one by one. Grey (1 channel) or RGB."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    pack = zlib.compressobj(1)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)))
        for row in rows:
            if packed := pack.compress(b"\0" + row):
                file.write(chunk(b"IDAT", packed))
        file.write(chunk(b"IDAT", pack.flush()) + chunk(b"IEND", b""))


def write_image(path, image):
    write_png(path, (row.tobytes() for row in image), image.shape[1], image.shape[0], 1 if image.ndim == 2 else 3)


def painted_tissue(height=1000, width=1200, seed=1):
    """Blue nuclei on pink, in squares of 2 x 2 equal pixels, so that a level of half the size says the same."""
    y, x = np.mgrid[:height // 2, :width // 2]
    image = np.full((height // 2, width // 2, 3), (225, 150, 190), np.uint8)
    for row in range(20, height // 2 - 20, 26):
        for column in range(20, width // 2 - 20, 26):
            image[np.hypot(y - row, x - column) < 5] = (80, 50, 140)
    return image.repeat(2, axis=0).repeat(2, axis=1)
