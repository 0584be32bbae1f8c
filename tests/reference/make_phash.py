"""Perceptual hashes after imagehash.phash (version 4.3: DCT-II by scipy.fftpack, 8 x 8 lowest
frequencies against their median), with frequencies below 1e-3 taken as the 0 that they are.
Usage: python3 make_phash.py > phash.json"""
import json
import numpy
import scipy.fftpack
import scipy.ndimage

random = numpy.random.RandomState(4)


def phash(pixels):
    dct = scipy.fftpack.dct(scipy.fftpack.dct(pixels.astype(float), axis=0), axis=1)
    low = dct[:8, :8]
    low = numpy.where(numpy.abs(low) < 1e-3, 0, low)
    bits = low > numpy.median(low)
    return ''.join('1' if bit else '0' for bit in bits.flatten())


def pictures():
    y, x = numpy.mgrid[0:32, 0:32]
    yield 'noise', random.randint(0, 256, (32, 32))
    yield 'dark noise', random.randint(0, 20, (32, 32))
    yield 'ramp', x * 4 + y * 3
    yield 'disc', numpy.where((x - 15.5) ** 2 + (y - 15.5) ** 2 < 100, 0, 255)
    yield 'off-centre disc', numpy.where((x - 9) ** 2 + (y - 20) ** 2 < 60, 30, 220)
    yield 'blank', numpy.full((32, 32), 255)
    yield 'black', numpy.zeros((32, 32))
    waves = 128 + 60 * numpy.sin(x / 3.1) + 50 * numpy.cos(y / 2.3 + x / 7)
    yield 'waves', numpy.clip(numpy.round(waves), 0, 255)
    smooth = scipy.ndimage.gaussian_filter(random.randint(0, 256, (32, 32)).astype(float), 3)
    yield 'smooth noise', numpy.clip(numpy.round((smooth - 128) * 6 + 128), 0, 255)


print(json.dumps([
    {'name': name, 'luma': pixels.astype(numpy.uint8).tobytes().hex(),
     'hash': f'{int(phash(pixels.astype(numpy.uint8)), 2):016x}'}
    for name, pixels in pictures()
], indent=1))
