//! `[calls.media]`: what clients are to send in calls, at most.

use echorift_calls::media_policy::{
    AudioCodec, AudioLimits, AudioPolicy, MediaLimits, MediaPolicy, NetworkLimits, Picture, ScreenLimits,
    ScreenPolicy, VideoCodec, VideoLimits, VideoPolicy,
};

use super::table::Table;

/// What Opus works with.
const SAMPLE_RATE: u32 = 48_000;
/// WebRTC sends three pictures side by side at most.
const LAYERS_MAX: usize = 3;
/// In kbit/s: more than any call needs.
const KBPS_MAX: u32 = 100_000;

/// The policy for everybody, and what is lower for some networks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallMediaSettings {
    pub(crate) policy: MediaPolicy,
    pub(crate) networks: Vec<NetworkLimits>,
}

impl CallMediaSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let audio = AudioPolicy {
            codec: AudioCodec::Opus,
            sample_rate: SAMPLE_RATE,
            channels: if table.flag("stereo", true) { 2 } else { 1 },
            max_bitrate: bits(table.whole("audio_kbps", 32, 6..=510)),
            fec: table.flag("fec", true),
            dtx: table.flag("dtx", true),
        };
        let other_codecs = read_codecs(table);
        let video = VideoPolicy {
            enabled: table.flag("video", true),
            layers: read_layers(table),
            codec: read_codec(table, "video_codec", ("vp8", VideoCodec::Vp8)),
            other_codecs: other_codecs.clone(),
            off_below_bitrate: bits(table.whole("video_off_below_kbps", 200, 0..=KBPS_MAX)),
        };
        let fix = "Write a size and rates such as \"1080p 1500kbps 15fps\".";
        let picture = table.parsed("screen", "1080p 1500kbps 15fps", parse_picture, fix);
        let screen_share = ScreenPolicy {
            enabled: table.flag("screen_share", true),
            picture: picture.unwrap_or_else(|| Picture::wide(1080, 1_500_000, 15)),
            codec: read_codec(table, "screen_codec", ("vp9", VideoCodec::Vp9)),
            other_codecs,
        };
        Self {
            policy: MediaPolicy {
                audio,
                video,
                screen_share,
            },
            networks: table.tables("network", read_network).unwrap_or_default(),
        }
    }
}

fn bits(kbps: u32) -> u32 {
    kbps.saturating_mul(1_000)
}

fn read_layers(table: &mut Table<'_, '_>) -> Vec<Picture> {
    const DEFAULT: [&str; LAYERS_MAX] = ["180p 150kbps 15fps", "360p 500kbps 24fps", "720p 1500kbps 30fps"];
    let texts = table.list("video_layers", &DEFAULT);
    let layers: Vec<Picture> = texts.iter().filter_map(|text| parse_picture(text)).collect();
    let is_rising = |pair: &[Picture]| match pair {
        [low, high] => low.height < high.height && low.max_bitrate < high.max_bitrate,
        _ => true,
    };
    let is_plausible = (1..=LAYERS_MAX).contains(&texts.len())
        && layers.len() == texts.len()
        && layers.windows(2).all(is_rising);
    if !is_plausible {
        let fix = "Write one to three, the smallest first, each with more than the one before: \"180p 150kbps 15fps\".";
        table.refuse("video_layers", "cannot be sent side by side", fix);
    }
    layers
}

/// Reads `720p 1500kbps 30fps`.
fn parse_picture(text: &str) -> Option<Picture> {
    let mut words = text.split_ascii_whitespace();
    let mut number = |unit: &str, max: u32| {
        let number: u32 = words.next()?.strip_suffix(unit)?.parse().ok()?;
        (1..=max).contains(&number).then_some(number)
    };
    let (height, kbps, fps) = (
        number("p", 4_320)?,
        number("kbps", KBPS_MAX)?,
        number("fps", 240)?,
    );
    words
        .next()
        .is_none()
        .then(|| Picture::wide(height, bits(kbps), fps))
}

const CODECS: [(&str, VideoCodec); 4] = [
    ("vp8", VideoCodec::Vp8),
    ("vp9", VideoCodec::Vp9),
    ("h264", VideoCodec::H264),
    ("av1", VideoCodec::Av1),
];

fn read_codec(table: &mut Table<'_, '_>, key: &str, first: (&str, VideoCodec)) -> VideoCodec {
    table.choice(key, first, &CODECS)
}

fn read_codecs(table: &mut Table<'_, '_>) -> Vec<VideoCodec> {
    let words = table.list("other_codecs", &["h264", "av1"]);
    let mut codecs = Vec::with_capacity(words.len());
    for word in words {
        match CODECS.iter().find(|(name, _)| *name == word) {
            Some((_, codec)) => codecs.push(*codec),
            None => {
                let problem = format!("holds {word:?}, which is no video codec");
                table.refuse("other_codecs", &problem, "The choices are: vp8, vp9, h264, av1.");
            }
        }
    }
    codecs
}

/// What is not written is not limited.
fn read_network(table: &mut Table<'_, '_>) -> NetworkLimits {
    let texts = table.list("ranges", &[]);
    let ranges: Vec<_> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if ranges.is_empty() || ranges.len() < texts.len() {
        let fix = "Write addresses and networks such as \"10.20.0.0/16\", or \"private\" for all that are not public.";
        table.refuse("ranges", "names no network, or something that is none", fix);
    }
    let is_off = |on: bool| (!on).then_some(false);
    let kbps = 0..=KBPS_MAX;
    let limits = MediaLimits {
        audio: AudioLimits {
            max_bitrate: table.optional_whole("audio_kbps", kbps.clone()).map(bits),
            channels: (!table.flag("stereo", true)).then_some(1),
        },
        video: VideoLimits {
            enabled: is_off(table.flag("video", true)),
            max_height: table.optional_whole("video_height", 1..=4_320),
            max_bitrate: table.optional_whole("video_kbps", kbps.clone()).map(bits),
            max_framerate: table.optional_whole("video_fps", 1..=240),
            off_below_bitrate: table
                .optional_whole("video_off_below_kbps", kbps.clone())
                .map(bits),
        },
        screen_share: ScreenLimits {
            enabled: is_off(table.flag("screen_share", true)),
            max_height: table.optional_whole("screen_height", 1..=4_320),
            max_bitrate: table.optional_whole("screen_kbps", kbps).map(bits),
            max_framerate: table.optional_whole("screen_fps", 1..=240),
        },
    };
    NetworkLimits { ranges, limits }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(toml: &str) -> CallMediaSettings {
        Config::parse(toml).unwrap().calls.media
    }

    fn refused(toml: &str) -> Vec<String> {
        let faults = Config::parse(toml).unwrap_err().0;
        faults.into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn the_defaults_are_those_of_the_handbook() {
        let policy = read("").policy;
        let layers = [
            Picture::wide(180, 150_000, 15),
            Picture::wide(360, 500_000, 24),
            Picture::wide(720, 1_500_000, 30),
        ];
        assert_eq!(policy.video.layers, layers);
        assert_eq!(
            (layers[0].width, layers[1].width, layers[2].width),
            (320, 640, 1280)
        );
        assert_eq!((policy.audio.max_bitrate, policy.audio.channels), (32_000, 2));
        assert_eq!(policy.screen_share.picture, Picture::wide(1080, 1_500_000, 15));
    }

    #[test]
    fn networks_have_limits_of_their_own() {
        let networks = read(
            "[[calls.media.network]]\nranges = [\"10.20.0.0/16\"]\naudio_kbps = 24\nvideo_height = 360\n\
             [[calls.media.network]]\nranges = [\"192.0.2.7\"]\nvideo = false\nstereo = false",
        )
        .networks;
        assert_eq!(networks[0].limits.audio.max_bitrate, Some(24_000));
        assert_eq!(networks[0].limits.video.max_height, Some(360));
        assert_eq!(networks[0].limits.video.enabled, None);
        assert!(networks[0].ranges[0].contains("10.20.3.4".parse().unwrap()));
        assert_eq!(networks[1].limits.video.enabled, Some(false));
        assert_eq!(networks[1].limits.audio.channels, Some(1));
    }

    #[test]
    fn what_could_not_be_sent_is_refused() {
        let layers = |texts: &str| refused(&format!("[calls.media]\nvideo_layers = {texts}"));
        for wrong in [
            "[]",
            "[\"180p\"]",
            "[\"180p 150kbps\"]",
            "[\"180p 150kbps 15fps more\"]",
            "[\"720p 1500kbps 30fps\", \"180p 150kbps 15fps\"]",
            "[\"180p 1kbps 1fps\", \"181p 2kbps 1fps\", \"182p 3kbps 1fps\", \"183p 4kbps 1fps\"]",
        ] {
            assert_eq!(layers(wrong), ["calls.media.video_layers"], "{wrong}");
        }
        assert_eq!(refused("[calls.media]\nscreen = \"big\""), ["calls.media.screen"]);
        assert_eq!(
            refused("[calls.media]\nvideo_codec = \"h265\""),
            ["calls.media.video_codec"]
        );
        assert_eq!(
            refused("[calls.media]\nother_codecs = [\"mjpeg\"]"),
            ["calls.media.other_codecs"]
        );
        assert_eq!(
            refused("[[calls.media.network]]\nvideo = false"),
            ["calls.media.network.ranges"]
        );
        assert_eq!(
            refused("[[calls.media.network]]\nranges = [\"10.0.0.0/99\"]"),
            ["calls.media.network.ranges"]
        );
    }
}
