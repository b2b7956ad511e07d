# interpreter_leak.pl SECONDS [fixed]: objects of several kinds that refer to themselves and are never freed, made at the
# end of call chains of random depth that pass through C (sort, a tied scalar, overloading), so that one leak has many C
# stacks. Prints how many were made, and seconds.
use strict;
use warnings;
use Time::HiRes qw(time sleep);

my ($seconds, $fixed) = (shift, (shift // '') eq 'fixed');
my $made = 0;
srand 4;

package Tied {
    sub TIESCALAR { my ($class, $code) = @_; return bless { code => $code }, $class }
    sub FETCH { return $_[0]{code}->() }
}

package Number {
    use overload '+' => sub { return $_[0]{code}->() };
}

package main;

my @makers = (
    sub { my $o = { number => $_[0], note => "order $_[0]" x 8 }; $o->{self} = $o unless $fixed; },
    sub { my $o = [ (1) x 20 ]; $o->[3] = $o unless $fixed; },
    sub { my $s = 'x' x (100 + $_[0] % 50); my $o = \$s; my $h = { text => $o }; $h->{self} = $h unless $fixed; },
    sub { my $n = shift; my $code; $code = sub { return $code }; undef $code if $fixed; return },
);

sub through {
    my ($n, $depth) = @_;
    if ($depth == 0) { $made++; $makers[rand @makers]->($n); return 0 }
    my $way = int rand 3;
    if ($way == 0) { my @sorted = sort { through($n, $depth - 1); 0 } (1, 2) }
    elsif ($way == 1) { tie my $value, 'Tied', sub { through($n, $depth - 1) }; my $read = $value }
    else { my $sum = bless({ code => sub { through($n, $depth - 1) } }, 'Number') + 1 }
    return 0;
}

my ($start, $tick) = (time, 0);
while (time - $start < $seconds) {
    $tick++;
    sleep 0.001 while (time - $start) * 400 < $tick;
    through($tick, int rand 6);
}
printf "%d %.3f\n", $made, time - $start;
